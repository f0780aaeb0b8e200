/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decoder of what h264_pcm.h encodes: one slice a picture, I_PCM macroblocks and skipped ones.  Anything else is an
 * error, and so is a picture whose reference never came, though it is given.  Included where vicodec's own functions
 * are known.
 *
 * As hardware does, it can keep pictures until it has seen others, where the stream does not say in its VUI (which is
 * not read) that none overtakes another.
 */
static unsigned int held;
module_param(held, uint, 0644);
MODULE_PARM_DESC(held, " pictures that the decoder keeps, 3 at most");

struct h264_reader {
	const u8 *data;
	size_t size;	/* bits */
	size_t place;
	bool bad;
};

static u32 h264_get(struct h264_reader *r, int bits)
{
	u32 value = 0;

	while (bits--) {
		if (r->place >= r->size) {
			r->bad = true;
			return 0;
		}
		value = value << 1 | (r->data[r->place / 8] >> (7 - r->place % 8) & 1);
		r->place++;
	}
	return value;
}

static u32 h264_get_ue(struct h264_reader *r)
{
	int zeros = 0;

	while (!h264_get(r, 1)) {
		if (r->bad || ++zeros > 31) {
			r->bad = true;
			return 0;
		}
	}
	return (1u << zeros) - 1 + h264_get(r, zeros);
}

/* The next NAL unit from *at on, up to the next start code, or to the end where it is a slice; 0: there is none. */
static size_t h264_nal_unit(const u8 *data, size_t size, size_t *at)
{
	size_t end;

	for (; *at + 3 < size; ++*at)
		if (!data[*at] && !data[*at + 1] && data[*at + 2] == 1)
			break;
	*at += 3;
	if (*at >= size)
		return 0;
	if ((data[*at] & 0x1f) <= 5)
		return size - *at;
	for (end = *at; end + 2 < size; end++)
		if (!data[end] && !data[end + 1] && data[end + 2] <= 1)
			return end - *at;
	return size - *at;
}

static bool h264_read_sequence(struct h264_pcm *h, const u8 *unit, size_t size)
{
	struct h264_reader r = { .data = unit + 4, .size = size > 4 ? (size - 4) * 8 : 0 };
	u32 columns, rows, left = 0, right = 0, top = 0, bottom = 0;

	if (size < 5 || unit[1] != 66)			/* baseline */
		return false;
	h264_get_ue(&r);
	if (h264_get_ue(&r) || h264_get_ue(&r) != 2)	/* log2_max_frame_num_minus4, pic_order_cnt_type */
		return false;
	h264_get_ue(&r);
	h264_get(&r, 1);
	columns = h264_get_ue(&r) + 1;
	rows = h264_get_ue(&r) + 1;
	if (!h264_get(&r, 1))
		return false;
	h264_get(&r, 1);
	if (h264_get(&r, 1)) {
		left = h264_get_ue(&r);
		right = h264_get_ue(&r);
		top = h264_get_ue(&r);
		bottom = h264_get_ue(&r);
	}
	h->in_order = h264_get(&r, 1);
	if (r.bad || columns * 16 > MAX_WIDTH || rows * 16 > MAX_HEIGHT || columns < 2 || rows < 2 || left || top ||
	    right >= columns * 4 || bottom >= rows * 4)
		return false;
	h->coded_width = columns * 16;
	h->coded_height = rows * 16;
	h->width = h->coded_width - 2 * right;
	h->height = h->coded_height - 2 * bottom;
	return true;
}

/* Whether a stream of known size has begun, here at the latest. */
static bool h264_look(struct h264_pcm *h, const u8 *data, size_t size)
{
	size_t at = 0, length;

	while ((length = h264_nal_unit(data, size, &at))) {
		if ((data[at] & 0x1f) == 7 && !h264_read_sequence(h, data + at, length))
			return false;
		if ((data[at] & 0x1f) <= 5)
			break;
		at += length;
	}
	return h->width;
}

static void h264_get_macroblock(struct h264_reader *r, const struct v4l2_fwht_state *s, u8 *out, unsigned int x,
				unsigned int y)
{
	unsigned int stride = s->stride, j;
	const u8 *from = r->data + r->place / 8;
	u8 *chroma = out + stride * s->coded_height;

	if (r->place + 384 * 8 > r->size) {
		r->bad = true;
		return;
	}
	for (j = 0; j < 16; j++)
		memcpy(out + (y * 16 + j) * stride + x * 16, from + j * 16, 16);
	stride /= 2;
	for (j = 0; j < 16; j++)
		memcpy(chroma + (j / 8 * (s->coded_height / 2) + y * 8 + j % 8) * stride + x * 8,
		       from + 256 + j * 8, 8);
	r->place += 384 * 8;
}

static int h264_pcm_decode(struct h264_pcm *h, struct v4l2_fwht_state *s, const u8 *data, size_t size, u8 *out,
			   u32 *flags)
{
	unsigned int columns = s->coded_width / 16, all = columns * (s->coded_height / 16), n = 0, skipped, frame_num;
	size_t whole = s->coded_width * s->coded_height * 3 / 2, at = 0, length;
	struct h264_reader r = {};
	bool idr, missing;

	while ((length = h264_nal_unit(data, size, &at)) && (data[at] & 0x1f) > 5)
		at += length;
	if (!length || ((data[at] & 0x1f) != 5 && (data[at] & 0x1f) != 1))
		return -EINVAL;
	idr = (data[at] & 0x1f) == 5;
	r.data = data + at + 1;
	r.size = (length - 1) * 8;
	if (h264_get_ue(&r) || h264_get_ue(&r) != (idr ? 7 : 5) || h264_get_ue(&r))
		return -EINVAL;
	frame_num = h264_get(&r, 4);
	if (idr)
		h264_get_ue(&r);
	if (h264_get(&r, idr ? 2 : 3) || h264_get_ue(&r) || h264_get_ue(&r) != 1)
		return -EINVAL;
	missing = !idr && (!h->has_reference || frame_num != h->next_frame_num);
	if (!idr)
		memcpy(out, s->ref_frame.buf, whole);
	while (n < all && !r.bad) {
		skipped = idr ? 0 : h264_get_ue(&r);
		if (skipped > all - n)
			return -EINVAL;
		n += skipped;
		if (n == all)
			break;
		if (h264_get_ue(&r) != (idr ? 25 : 30))
			return -EINVAL;
		r.place = round_up(r.place, 8);
		h264_get_macroblock(&r, s, out, n % columns, n / columns);
		n++;
	}
	if (r.bad)
		return -EINVAL;
	memcpy(s->ref_frame.buf, out, whole);
	h->has_reference = true;
	h->next_frame_num = (frame_num + 1) % 16;
	*flags |= idr ? V4L2_BUF_FLAG_KEYFRAME : V4L2_BUF_FLAG_PFRAME;
	return missing ? 1 : 0;
}

/* Puts away the picture that has been decoded, and gives the one that was put away so long ago, if there is one. */
static int h264_keep(struct h264_pcm *h, const struct v4l2_fwht_state *s, u8 *out, struct vb2_v4l2_buffer *src_vb,
		     u64 *time)
{
	size_t whole = s->coded_width * s->coded_height * 3 / 2;
	unsigned int keeps = h->in_order ? 0 : min(held, 3u);
	u8 *slot;

	*time = src_vb->vb2_buf.timestamp;
	if (keeps != h->keeps) {
		kvfree(h->kept);
		h->kept = kvmalloc(keeps * whole, GFP_KERNEL);
		h->keeps = h->kept ? keeps : 0;
		h->count = 0;
	}
	if (!h->keeps)
		return 0;
	slot = h->kept + h->count % h->keeps * whole;
	memcpy(out, slot, whole);
	memcpy(slot, s->ref_frame.buf, whole);
	swap(*time, h->times[h->count % h->keeps]);
	return ++h->count <= h->keeps ? -EAGAIN : 0;
}

static int h264_decode(struct vicodec_ctx *ctx, struct vb2_v4l2_buffer *src_vb, struct vb2_v4l2_buffer *dst_vb)
{
	struct vicodec_q_data *q_dst = get_q_data(ctx, V4L2_BUF_TYPE_VIDEO_CAPTURE);
	const u8 *from = vb2_plane_vaddr(&src_vb->vb2_buf, 0);
	u8 *to = vb2_plane_vaddr(&dst_vb->vb2_buf, 0);
	int ret;

	vb2_set_plane_payload(&dst_vb->vb2_buf, 0, 0);
	if (q_dst->info->id != V4L2_PIX_FMT_YUV420 || !from || !to)
		return -EINVAL;
	ret = h264_pcm_decode(&ctx->h264, &ctx->state, from, vb2_get_plane_payload(&src_vb->vb2_buf, 0), to,
			      &dst_vb->flags);
	if (ret >= 0)
		vb2_set_plane_payload(&dst_vb->vb2_buf, 0, q_dst->sizeimage);
	return ret;
}

static void h264_use_size(struct vicodec_ctx *ctx)
{
	struct vicodec_q_data *q_dst = get_q_data(ctx, V4L2_BUF_TYPE_VIDEO_CAPTURE);
	static const struct v4l2_event event = {
		.type = V4L2_EVENT_SOURCE_CHANGE,
		.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION,
	};

	q_dst->info = v4l2_fwht_find_pixfmt(V4L2_PIX_FMT_YUV420);
	q_dst->visible_width = ctx->h264.width;
	q_dst->visible_height = ctx->h264.height;
	q_dst->coded_width = ctx->h264.coded_width;
	q_dst->coded_height = ctx->h264.coded_height;
	q_dst->sizeimage = q_dst->coded_width * q_dst->coded_height * 3 / 2;
	ctx->h264.has_reference = false;
	ctx->h264.keeps = 0;
	v4l2_event_queue_fh(&ctx->fh, &event);
}

static bool h264_fits(struct vicodec_ctx *ctx)
{
	struct vicodec_q_data *q_dst = get_q_data(ctx, V4L2_BUF_TYPE_VIDEO_CAPTURE);

	return q_dst->visible_width == ctx->h264.width && q_dst->visible_height == ctx->h264.height &&
	       q_dst->coded_width == ctx->h264.coded_width && q_dst->coded_height == ctx->h264.coded_height;
}
