/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest H.264 encoder that obeys its controls: an IDR picture where the I period or a forced key frame wants
 * one, else a P picture that renews as many macroblocks as the bitrate allows and leaves the others as they were.
 * Every coded macroblock is I_PCM.  A sample of 0 becomes 1, so nothing needs emulation prevention (H.264 7.4.1).
 * h264_pcm_decode.h decodes that, and nothing else.
 */
struct h264_pcm {
	/* of the decoder: */
	unsigned int width, height, coded_width, coded_height;
	unsigned int next_frame_num;
	bool has_reference;
	bool in_order;
	u8 *kept;
	unsigned int keeps, count;
	u64 times[4];
	/* of the encoder: */
	unsigned int idr_id;
	unsigned int since_idr;
	unsigned int next_macroblock;
	bool headers_sent;
	bool key_frame_wanted;
	struct v4l2_fract frame_time;
};

struct h264_bits {
	u8 *to;
	u32 waiting;
	int count;
};

static void h264_put(struct h264_bits *b, u32 value, int bits)
{
	while (bits--) {
		b->waiting = (b->waiting << 1) | ((value >> bits) & 1);
		if (++b->count == 8) {
			*b->to++ = b->waiting;
			b->waiting = 0;
			b->count = 0;
		}
	}
}

static void h264_ue(struct h264_bits *b, u32 value)
{
	int length = fls(value + 1);

	h264_put(b, 0, length - 1);
	h264_put(b, value + 1, length);
}

static void h264_align(struct h264_bits *b)
{
	while (b->count)
		h264_put(b, 0, 1);
}

static void h264_end(struct h264_bits *b)
{
	h264_put(b, 1, 1);
	h264_align(b);
}

static void h264_begin(struct h264_bits *b, u8 header)
{
	h264_put(b, 1, 32);
	h264_put(b, header, 8);
}

static void h264_headers(struct h264_bits *b, const struct v4l2_fwht_state *s, u8 level_idc)
{
	unsigned int right = s->coded_width - s->visible_width, bottom = s->coded_height - s->visible_height;

	h264_begin(b, 0x67);
	h264_put(b, 66, 8);		/* profile_idc: baseline */
	h264_put(b, 0xc0, 8);		/* constrained */
	h264_put(b, level_idc, 8);
	h264_ue(b, 0);			/* seq_parameter_set_id */
	h264_ue(b, 0);			/* log2_max_frame_num_minus4 */
	h264_ue(b, 2);			/* pic_order_cnt_type */
	h264_ue(b, 1);			/* max_num_ref_frames */
	h264_put(b, 0, 1);
	h264_ue(b, s->coded_width / 16 - 1);
	h264_ue(b, s->coded_height / 16 - 1);
	h264_put(b, 1, 1);		/* frame_mbs_only_flag */
	h264_put(b, 1, 1);		/* direct_8x8_inference_flag */
	h264_put(b, right || bottom, 1);
	if (right || bottom) {
		h264_ue(b, 0);
		h264_ue(b, right / 2);
		h264_ue(b, 0);
		h264_ue(b, bottom / 2);
	}
	h264_put(b, 0, 1);		/* vui_parameters_present_flag */
	h264_end(b);

	h264_begin(b, 0x68);
	h264_ue(b, 0);
	h264_ue(b, 0);
	h264_put(b, 0, 2);		/* CAVLC */
	h264_ue(b, 0);
	h264_ue(b, 0);
	h264_ue(b, 0);
	h264_put(b, 0, 3);		/* weighted_pred_flag, weighted_bipred_idc */
	h264_ue(b, 0);
	h264_ue(b, 0);
	h264_ue(b, 0);
	h264_put(b, 4, 3);		/* deblocking_filter_control_present_flag */
	h264_end(b);
}

static void h264_slice_header(struct h264_bits *b, const struct h264_pcm *h, bool idr)
{
	h264_begin(b, idr ? 0x65 : 0x41);
	h264_ue(b, 0);			/* first_mb_in_slice */
	h264_ue(b, idr ? 7 : 5);	/* slice_type: I or P */
	h264_ue(b, 0);			/* pic_parameter_set_id */
	h264_put(b, h->since_idr, 4);	/* frame_num */
	if (idr) {
		h264_ue(b, h->idr_id & 1);
		h264_put(b, 0, 2);	/* no_output_of_prior_pics_flag, long_term_reference_flag */
	} else {
		h264_put(b, 0, 3);	/* no override, no modification, sliding window */
	}
	h264_ue(b, 0);			/* slice_qp_delta */
	h264_ue(b, 1);			/* disable_deblocking_filter_idc */
}

static u8 h264_sample(u8 value)
{
	return value ? value : 1;
}

static void h264_macroblock(struct h264_bits *b, const struct v4l2_fwht_state *s, const u8 *in, unsigned int x,
			    unsigned int y)
{
	unsigned int stride = s->stride, i, j;
	bool interleaved = s->info->id == V4L2_PIX_FMT_NV12;
	const u8 *luma = in + y * 16 * stride + x * 16;
	const u8 *chroma = in + stride * s->coded_height;

	for (j = 0; j < 16; j++)
		for (i = 0; i < 16; i++)
			*b->to++ = h264_sample(luma[j * stride + i]);
	if (interleaved) {
		chroma += y * 8 * stride + x * 16;
		for (j = 0; j < 128; j++)
			*b->to++ = h264_sample(chroma[(j / 8 % 8) * stride + j % 8 * 2 + j / 64]);
		return;
	}
	stride /= 2;
	chroma += y * 8 * stride + x * 8;
	for (j = 0; j < 128; j++)
		*b->to++ = h264_sample(chroma[(j / 64 * (s->coded_height / 2) + j / 8 % 8) * stride + j % 8]);
}

/* BT.601, limited range, of R, G, B. */
static void h264_rgb_macroblock(struct h264_bits *b, const struct v4l2_fwht_state *s, const u8 *in, unsigned int x,
				unsigned int y)
{
	const u8 *first = in + y * 16 * s->stride + x * 48, *p;
	unsigned int j;

	for (j = 0; j < 256; j++) {
		p = first + j / 16 * s->stride + j % 16 * 3;
		*b->to++ = (66 * p[0] + 129 * p[1] + 25 * p[2] + 4224) >> 8;
	}
	for (j = 0; j < 128; j++) {
		p = first + j / 8 % 8 * 2 * s->stride + j % 8 * 6;
		*b->to++ = j < 64 ? (-38 * p[0] - 74 * p[1] + 112 * p[2] + 32896) >> 8 :
				    (112 * p[0] - 94 * p[1] - 18 * p[2] + 32896) >> 8;
	}
}

static s32 h264_control(struct v4l2_ctrl_handler *controls, u32 id)
{
	return v4l2_ctrl_g_ctrl(v4l2_ctrl_find(controls, id));
}

static int h264_pcm_encode(struct h264_pcm *h, struct v4l2_ctrl_handler *controls, struct v4l2_fwht_state *s,
			   const u8 *in, u8 *out, u32 *flags)
{
	static const u8 levels[] = { 10, 11, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51 };
	struct h264_bits b = { .to = out };
	unsigned int columns = s->coded_width / 16, all = columns * (s->coded_height / 16);
	unsigned int period = h264_control(controls, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD);
	unsigned int budget = all, skipped = 0, first, n;
	bool idr, rgb = s->info->id == V4L2_PIX_FMT_RGB24;

	if (!rgb && s->info->id != V4L2_PIX_FMT_NV12 && s->info->id != V4L2_PIX_FMT_YUV420)
		return -EINVAL;
	if (s->coded_width % 16 || s->coded_height % 16)
		return -EINVAL;
	idr = h->key_frame_wanted || !h->headers_sent || (period && h->since_idr >= period);
	if (idr) {
		h->key_frame_wanted = false;
		h->since_idr = 0;
		h->idr_id++;
		*flags |= V4L2_BUF_FLAG_KEYFRAME;
		if (!h->headers_sent || h264_control(controls, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER))
			h264_headers(&b, s, levels[h264_control(controls, V4L2_CID_MPEG_VIDEO_H264_LEVEL)]);
		h->headers_sent = true;
	} else {
		u64 bytes = (u64)h264_control(controls, V4L2_CID_MPEG_VIDEO_BITRATE) / 8 * h->frame_time.numerator;

		*flags |= V4L2_BUF_FLAG_PFRAME;
		do_div(bytes, h->frame_time.denominator);
		do_div(bytes, 386);
		budget = clamp_t(unsigned int, bytes, 1, all);
	}
	h264_slice_header(&b, h, idr);
	first = idr ? 0 : h->next_macroblock % all;
	for (n = 0; n < all; n++) {
		if ((n + all - first) % all >= budget) {
			skipped++;
			continue;
		}
		if (!idr)
			h264_ue(&b, skipped);	/* mb_skip_run */
		skipped = 0;
		h264_ue(&b, idr ? 25 : 30);	/* mb_type: I_PCM */
		h264_align(&b);
		if (rgb)
			h264_rgb_macroblock(&b, s, in, n % columns, n / columns);
		else
			h264_macroblock(&b, s, in, n % columns, n / columns);
	}
	if (skipped)
		h264_ue(&b, skipped);
	h264_end(&b);
	h->next_macroblock = (first + budget) % all;
	h->since_idr++;
	return b.to - out;
}

static int h264_pcm_controls(struct v4l2_ctrl_handler *hdl, const struct v4l2_ctrl_ops *ops)
{
	v4l2_ctrl_new_std(hdl, ops, V4L2_CID_MPEG_VIDEO_BITRATE, 25000, 25000000, 25000, 10000000);
	v4l2_ctrl_new_std(hdl, ops, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 0, 0x7fffffff, 1, 60);
	v4l2_ctrl_new_std(hdl, ops, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 1, 1, 0);
	v4l2_ctrl_new_std(hdl, ops, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
	v4l2_ctrl_new_std(hdl, ops, V4L2_CID_MPEG_VIDEO_H264_MIN_QP, 0, 51, 1, 20);
	v4l2_ctrl_new_std(hdl, ops, V4L2_CID_MPEG_VIDEO_H264_MAX_QP, 0, 51, 1, 51);
	v4l2_ctrl_new_std_menu(hdl, ops, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, V4L2_MPEG_VIDEO_BITRATE_MODE_CBR, 0,
			       V4L2_MPEG_VIDEO_BITRATE_MODE_VBR);
	v4l2_ctrl_new_std_menu(hdl, ops, V4L2_CID_MPEG_VIDEO_HEADER_MODE,
			       V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME, 0,
			       V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME);
	v4l2_ctrl_new_std_menu(hdl, ops, V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_MPEG_VIDEO_H264_LEVEL_5_1, 0,
			       V4L2_MPEG_VIDEO_H264_LEVEL_4_0);
	v4l2_ctrl_new_std_menu(hdl, ops, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH,
			       BIT(V4L2_MPEG_VIDEO_H264_PROFILE_EXTENDED), V4L2_MPEG_VIDEO_H264_PROFILE_HIGH);
	return hdl->error;
}
