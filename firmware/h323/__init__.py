"""H.323: video calls as the ITU-T laid them down."""
