/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vkms lacks of a real display's planes: YUV (BT.601, limited range) and scaling, by the nearest pixel.
 */
static bool vkms_is_layer(const struct vkms_frame_info *frame)
{
	return frame->fb->format->is_yuv ||
	       drm_rect_width(&frame->src) >> 16 != drm_rect_width(&frame->dst) ||
	       drm_rect_height(&frame->src) >> 16 != drm_rect_height(&frame->dst);
}

static u16 vkms_channel(int value)
{
	return clamp((value + 128) >> 8, 0, 255) * 257;
}

static void vkms_layer_pixel(const struct vkms_frame_info *frame, int x, int y, struct pixel_argb_u16 *out)
{
	const struct drm_framebuffer *fb = frame->fb;
	const u8 *p = frame->map[0].vaddr, *cb, *cr;
	int luma, blue, red;

	switch (fb->format->format) {
	case DRM_FORMAT_YUV420:
		cb = (u8 *)frame->map[1].vaddr + y / 2 * fb->pitches[1] + x / 2;
		cr = (u8 *)frame->map[2].vaddr + y / 2 * fb->pitches[2] + x / 2;
		break;
	case DRM_FORMAT_NV12:
		cb = (u8 *)frame->map[1].vaddr + y / 2 * fb->pitches[1] + x / 2 * 2;
		cr = cb + 1;
		break;
	default:
		p += y * fb->pitches[0] + x * 4;
		out->a = fb->format->has_alpha ? p[3] * 257 : 0xffff;
		out->r = p[2] * 257;
		out->g = p[1] * 257;
		out->b = p[0] * 257;
		return;
	}
	luma = 298 * (p[y * fb->pitches[0] + x] - 16);
	blue = *cb - 128;
	red = *cr - 128;
	out->a = 0xffff;
	out->r = vkms_channel(luma + 409 * red);
	out->g = vkms_channel(luma - 100 * blue - 208 * red);
	out->b = vkms_channel(luma + 516 * blue);
}

/* Of a row of the screen, where the frame lies, the nearest pixels of the frame. */
static void vkms_compose_layer(const struct vkms_frame_info *frame, struct pixel_argb_u16 *out, int count, int row)
{
	u64 width = drm_rect_width(&frame->src), height = drm_rect_height(&frame->src);
	int columns = drm_rect_width(&frame->dst), rows = drm_rect_height(&frame->dst), x;
	int y = (frame->src.y1 + div_u64((2 * (row - frame->dst.y1) + 1) * height, 2 * rows)) >> 16;

	for (x = 0; x < count; x++)
		vkms_layer_pixel(frame, (frame->src.x1 + div_u64((2 * x + 1) * width, 2 * columns)) >> 16, y, &out[x]);
}
