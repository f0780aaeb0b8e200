"""Makes the sources of the bench's kernel modules from those of the kernel that runs there.

``derive.py SOURCE TARGET``: SOURCE is an unpacked linux-source, TARGET the folder to build in.  Nothing of the kernel's
is kept with the project; each replacement says how often it must apply, so that another kernel is noticed here.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
CODEC = "drivers/media/test-drivers/vicodec"
CAMERA = "drivers/media/test-drivers/vimc"
SCREEN = "drivers/gpu/drm/vkms"

_STREAM_RATE = """static int h264_s_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	struct v4l2_fract *time = &parm->parm.output.timeperframe;

	if (!V4L2_TYPE_IS_OUTPUT(parm->type))
		return -EINVAL;
	if (!time->numerator || !time->denominator)
		*time = (struct v4l2_fract){ 1, 30 };
	parm->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	file2ctx(file)->h264.frame_time = *time;
	return 0;
}

"""
_CONTROLS = """	case V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME:
		ctx->h264.key_frame_wanted = true;
		return 0;
	case V4L2_CID_MPEG_VIDEO_BITRATE ... V4L2_CID_MPEG_VIDEO_BITRATE_PEAK:
	case V4L2_CID_MPEG_VIDEO_BITRATE_MODE:
	case V4L2_CID_MPEG_VIDEO_HEADER_MODE:
	case V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER:
	case V4L2_CID_MPEG_VIDEO_H264_I_FRAME_QP ... V4L2_CID_MPEG_VIDEO_H264_PROFILE:
		return 0;
"""

_JOB_READY = """static int h264_job_ready(struct vicodec_ctx *ctx)
{
	struct vb2_v4l2_buffer *src = v4l2_m2m_next_src_buf(ctx->fh.m2m_ctx);

	if (!src)
		return 0;
	if (!h264_look(&ctx->h264, vb2_plane_vaddr(&src->vb2_buf, 0), vb2_get_plane_payload(&src->vb2_buf, 0)))
		return 1;
	if (h264_fits(ctx))
		return 1;
	h264_use_size(ctx);
	set_last_buffer(v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx), src, ctx);
	ctx->source_changed = true;
	return 0;
}

"""
_FIRST_HEADER = """	if (!h264_look(&ctx->h264, p_src, sz)) {
		v4l2_m2m_buf_done(vbuf, VB2_BUF_STATE_ERROR);
		return;
	}
	h264_use_size(ctx);
	ctx->first_source_change_sent = true;
	v4l2_m2m_buf_queue(ctx->fh.m2m_ctx, vbuf);
	return;

"""
_KEEP = """	if (!ctx->is_enc && !ctx->is_stateless && state == VB2_BUF_STATE_DONE) {
		if (h264_keep(&ctx->h264, &ctx->state, vb2_plane_vaddr(&dst_buf->vb2_buf, 0), src_buf, &time)) {
			v4l2_m2m_buf_done(v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx), state);
			v4l2_m2m_buf_queue(ctx->fh.m2m_ctx, dst_buf);
			v4l2_m2m_job_finish(dev->stateful_dec.m2m_dev, ctx->fh.m2m_ctx);
			return;
		}
		dst_buf->vb2_buf.timestamp = time;
	}
"""
_DECODE = """		if (!ctx->is_stateless)
			return h264_decode(ctx, src_vb, dst_vb);
"""

Replacements = tuple[tuple[str, str, int], ...]
"""Pattern, what stands there instead, and how often it must be found."""

H264: Replacements = (
    (r"V4L2_PIX_FMT_FWHT\b", "V4L2_PIX_FMT_H264", 14),
    (r'(#include "codec-v4l2-fwht.h"\n)', r'\1#include "h264_pcm.h"\n', 1),
    (r'(VICODEC_NAME\t\t)"vicodec"', r'\1"h264-pcm"', 1),
    (r"(MIN_WIDTH\t\t)640U", r"\g<1>32U", 1),
    (r"(MIN_HEIGHT\t\t)360U", r"\g<1>32U", 1),
    (r"(bool\t\t\tsource_changed;\n)", r"\1	struct h264_pcm\t\th264;\n", 1),
    (
        r"v4l2_fwht_encode\(state, p_src, p_dst\)",
        "h264_pcm_encode(&ctx->h264, &ctx->hdl, state, p_src, p_dst, &dst_vb->flags)",
        1,
    ),
    (r"(state->gop_cnt = 0;\n)", r"\1	ctx->h264.headers_sent = false;\n", 1),
    (r"(\tcase V4L2_CID_FWHT_I_FRAME_QP:\n)", _CONTROLS + r"\1", 1),
    (
        r"(\tif \(ctx->is_enc\)\n\t\tv4l2_ctrl_new_std\()",
        r"	if (ctx->is_enc)\n		h264_pcm_controls(hdl, &vicodec_ctrl_ops);\n\1",
        1,
    ),
    (r"(\tctx->dev = dev;\n)", r"\1	ctx->h264.frame_time = (struct v4l2_fract){ 1, 30 };\n", 1),
    (r"(static const struct v4l2_ioctl_ops \w+ = \{\n)", _STREAM_RATE + r"\1	.vidioc_s_parm = h264_s_parm,\n", 1),
    (r"(video_register_device\(vfd, VFL_TYPE_VIDEO, )0\)", r"\1is_enc ? 11 : is_stateless ? 60 : 10)", 1),
    (r"(static void copy_cap_to_ref\()", r'#include "h264_pcm_decode.h"\n\n\1', 1),
    (r"(unsigned int comp_frame_size = ntohl\(ctx->state\.header\.size\);\n\n)", r"\1" + _DECODE, 1),
    (r"else if \(vb2_get_plane_payload\(&src_buf->vb2_buf, 0\) == ctx->cur_buf_offset\)", "else", 1),
    (r"(v4l2_m2m_buf_copy_metadata\(src_buf, dst_buf, false\);\n)", r"\1" + _KEEP, 1),
    (r"(\tu32 state;\n)(\tstruct media_request \*src_req;\n)", r"\1	u64 time;\n\2", 1),
    (r"(\tkvfree\(ctx->state.compressed_frame\);\n)(\tkfree)", r"\1	kvfree(ctx->h264.kept);\n\2", 1),
    (r"(static int job_ready\(void \*priv\)\n)", _JOB_READY + r"\1", 1),
    (r"(ctx->is_enc \|\| ctx->comp_has_frame\)\n\t\treturn) 1;", r"\1 1;\n	return h264_job_ready(ctx);", 1),
    (r"(\tdo \{\n\t\tenum vb2_buffer_state state =\n)", _FIRST_HEADER + r"\1", 1),
)
"""vicodec, which encodes and decodes FWHT, made devices that do that with H.264, at /dev/video11 and 10 as on a Pi."""

INTERRUPTS: Replacements = ((r"irq_to_desc\(irqnum\)", "irq_data_to_desc(irq_get_irq_data(irqnum))", 1),)
"""irq_to_desc is not exported to modules."""

SMALL_SENSOR: Replacements = (
    (r"(#define VIMC_FRAME_MAX_WIDTH )\d+", r"\g<1>768", 1),
    (r"(#define VIMC_FRAME_MAX_HEIGHT )\d+", r"\g<1>480", 1),
)
"""A sensor of 4096x2160 gives a picture a second in an emulated machine."""

_CROP_OF_NOW = r"""	sd_state = v4l2_subdev_lock_and_get_active_state(&vscaler->sd);
	vscaler->hw.sink_crop = *v4l2_subdev_state_get_crop(sd_state, VIMC_SCALER_SINK);
	v4l2_subdev_unlock_state(sd_state);

"""
ZOOM: Replacements = (
    (r"\tif \(sel->which == V4L2_SUBDEV_FORMAT_ACTIVE && vscaler->src_frame\)\n\t\treturn -EBUSY;\n\n", "", 1),
    (r"(const void \*sink_frame\)\n\{\n)", r"\1	struct v4l2_subdev_state *sd_state;\n", 1),
    (r"(\tvimc_scaler_fill_src_frame\(vscaler, sink_frame\);\n)", _CROP_OF_NOW + r"\1", 1),
)
"""vimc's scaler cuts out another part from one picture to the next."""

PLANES: Replacements = (
    (r"(\tDRM_FORMAT_ARGB16161616,\n\tDRM_FORMAT_RGB565)", r"\1,\n\tDRM_FORMAT_YUV420,\n\tDRM_FORMAT_NV12", 1),
    (r"DRM_PLANE_NO_SCALING,\s+DRM_PLANE_NO_SCALING", "1, 8 << 16", 1),
)
"""vkms's planes scale, if not without limit, and take what decoders give."""
_COMPOSE = r"""\1	if (vkms_is_layer(frame_info)) {
		vkms_compose_layer(frame_info, out_pixels, limit, y);
		return;
	}
"""
COMPOSER: Replacements = (
    (r'(#include "vkms_formats.h"\n)', r'\1#include "vkms_layer.h"\n', 1),
    (
        r"(\tcase DRM_FORMAT_XRGB8888:\n\t\treturn &XRGB8888_to)",
        r"	case DRM_FORMAT_YUV420:\n	case DRM_FORMAT_NV12:\n\1",
        1,
    ),
    (r"(\tint limit = min_t\(.*\n)", _COMPOSE, 1),
)


def change(path: Path, replacements: Replacements) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, instead, times in replacements:
        text, found = re.subn(pattern, instead, text)
        if found != times:
            sys.exit(f"{path.name}: {pattern} was found {found} times, not {times}: this kernel is another")
    path.write_text(text, encoding="utf-8")


def derive(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    shutil.copytree(source / SCREEN, target / "vkms")
    shutil.copy(HERE / "vkms_layer.h", target / "vkms")
    for name in ("Makefile", "h264_pcm.h", "h264_pcm_decode.h", "raspberrypi-bench.c"):
        shutil.copy(HERE / name, target)
    for name in ("drivers/gpio/gpio-sim.c", "kernel/irq/irq_sim.c", "drivers/media/v4l2-core/v4l2-mem2mem.c"):
        shutil.copy(source / name, target)
    shutil.copy(source / "drivers/hwmon/raspberrypi-hwmon.c", target)
    shutil.copy(source / "drivers/usb/gadget/legacy/raw_gadget.c", target)
    for path in [*(source / CODEC).glob("codec-*.[ch]")]:
        shutil.copy(path, target)
    shutil.copy(source / CODEC / "vicodec-core.c", target / "h264-pcm-core.c")
    shutil.copytree(source / CAMERA, target / "vimc")
    change(target / "irq_sim.c", INTERRUPTS)
    change(target / "h264-pcm-core.c", H264)
    change(target / "vimc" / "vimc-common.h", SMALL_SENSOR)
    change(target / "vimc" / "vimc-scaler.c", ZOOM)
    change(target / "vkms" / "vkms_plane.c", PLANES)
    change(target / "vkms" / "vkms_formats.c", COMPOSER)


if __name__ == "__main__":
    derive(Path(sys.argv[1]), Path(sys.argv[2]))
