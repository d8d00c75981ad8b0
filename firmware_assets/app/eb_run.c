// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_run.h"

#include <string.h>

#include "eb_network.h"
#include "eb_stream.h"
#include "eb_work.h"
#include "port.h"

#define NOTHING 0xFFu

#if EB_HAS_FRONTEND
#define SEGMENT_BYTES (EB_FRONTEND_SEGMENT_LENGTH * EB_SAMPLE_BYTES)
#endif

static struct {
    uint8_t target; /* of the upload, or NOTHING */
    uint32_t next;  /* bytes accepted */
    uint32_t crc;   /* of the bytes accepted */
    uint32_t frontend_us;
} upload = {.target = NOTHING};

void eb_run_forget(void)
{
    upload.target = NOTHING;
    upload.next = 0;
}

static void accept(const uint8_t *bytes, uint32_t count)
{
    upload.crc = eb_crc32(upload.crc, bytes, count);
    if (upload.target == EB_TARGET_IMAGE) {
        memcpy(eb_work.image + upload.next, bytes, count);
    }
#if EB_HAS_FRONTEND
    else {
        const uint32_t start = port_micros();
        bool due; /* after the last sample of the segment, and not before */
        (void)eb_work_push(bytes, 16, 0, count / EB_SAMPLE_BYTES, &due);
        upload.frontend_us += port_micros() - start;
    }
#endif
    upload.next += count;
}

uint8_t eb_run_upload(const eb_request *request, eb_answer *answer)
{
    eb_upload_request piece;
    uint32_t whole;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_upload_request_read(&piece, request->payload, request->payload_bytes)) {
        return EB_ERROR_PAYLOAD;
    }
    if (eb_stream_open()) {
        return EB_ERROR_STREAMING;
    }
    if (piece.target == EB_TARGET_IMAGE) {
        whole = EB_MODEL_INPUT_BYTES;
    } else if (piece.target == EB_TARGET_SEGMENT) {
#if EB_HAS_FRONTEND
        whole = SEGMENT_BYTES;
        if (piece.offset % EB_SAMPLE_BYTES != 0 || piece.data_bytes % EB_SAMPLE_BYTES != 0) {
            return EB_ERROR_PAYLOAD;
        }
#else
        return EB_ERROR_FRONTEND;
#endif
    } else {
        return EB_ERROR_PAYLOAD;
    }
    if (piece.offset > whole || piece.data_bytes > whole - piece.offset) {
        answer->detail = whole;
        return EB_ERROR_RANGE;
    }
    if (piece.offset == 0) {
        upload.target = piece.target;
        upload.next = 0;
        upload.crc = 0;
        upload.frontend_us = 0;
#if EB_HAS_FRONTEND
        if (piece.target == EB_TARGET_SEGMENT) {
            eb_frontend_reset(&eb_frontend_settings, eb_work.frontend);
        }
#endif
    }
    /* Bytes that have arrived before are skipped; a piece after a gap is ignored. */
    if (piece.target == upload.target && piece.offset <= upload.next) {
        const uint32_t known = upload.next - piece.offset;
        if (known < piece.data_bytes) {
            accept(piece.data + known, (uint32_t)piece.data_bytes - known);
        }
    }
    const eb_upload_answer written = {.next_offset =
                                          piece.target == upload.target ? upload.next : 0};
    answer->payload_bytes = eb_upload_answer_write(&written, answer->payload);
    return 0;
}

/* Checks that `target` has been uploaded completely and correctly. */
static uint8_t check(uint8_t target, uint32_t whole, uint32_t crc, eb_answer *answer)
{
    if (upload.target != target || upload.next != whole) {
        answer->detail = upload.target == target ? upload.next : 0;
        return EB_ERROR_INCOMPLETE;
    }
    if (upload.crc != crc) {
        answer->detail = upload.crc;
        return EB_ERROR_CRC;
    }
    return 0;
}

/* Bytes of the output that fit into an answer besides its `fixed` bytes. */
static size_t output_bytes(size_t fixed)
{
    const size_t room = EB_LINK_SEND_PAYLOAD - fixed;

    return EB_MODEL_OUTPUT_BYTES < room ? EB_MODEL_OUTPUT_BYTES : room;
}

uint8_t eb_run_image(const eb_request *request, eb_answer *answer)
{
    eb_run_image_request run;

    if (!eb_run_image_request_read(&run, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    const uint8_t wrong = check(EB_TARGET_IMAGE, EB_MODEL_INPUT_BYTES, run.crc, answer);
    if (wrong != 0) {
        return wrong;
    }
    const eb_run_image_answer written = {.model_us = eb_network_run(eb_work.image),
                                         .output = (const uint8_t *)eb_network_output,
                                         .output_bytes = output_bytes(EB_RUN_IMAGE_ANSWER_BYTES)};
    answer->payload_bytes = eb_run_image_answer_write(&written, answer->payload);
    return 0;
}

uint8_t eb_run_segment(const eb_request *request, eb_answer *answer)
{
#if EB_HAS_FRONTEND
    eb_run_segment_request run;

    if (!eb_run_segment_request_read(&run, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    const uint8_t wrong = check(EB_TARGET_SEGMENT, SEGMENT_BYTES, run.crc, answer);
    if (wrong != 0) {
        return wrong;
    }
    const int8_t *image = eb_frontend_image(&eb_frontend_settings, eb_work.frontend);
    const eb_run_segment_answer written = {
        .image_crc = eb_crc32(0, (const uint8_t *)image, EB_FRONTEND_IMAGE_BYTES),
        .frontend_us = upload.frontend_us,
        .model_us = eb_network_run(image),
        .output = (const uint8_t *)eb_network_output,
        .output_bytes = output_bytes(EB_RUN_SEGMENT_ANSWER_BYTES)};
    answer->payload_bytes = eb_run_segment_answer_write(&written, answer->payload);
    return 0;
#else
    (void)request;
    (void)answer;
    return EB_ERROR_FRONTEND;
#endif
}

uint8_t eb_run_output(const eb_request *request, eb_answer *answer)
{
    eb_output_request wanted;

    if (!eb_output_request_read(&wanted, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    if (wanted.offset > EB_MODEL_OUTPUT_BYTES) {
        answer->detail = EB_MODEL_OUTPUT_BYTES;
        return EB_ERROR_RANGE;
    }
    const size_t left = EB_MODEL_OUTPUT_BYTES - wanted.offset;
    const eb_output_answer written = {
        .data = (const uint8_t *)eb_network_output + wanted.offset,
        .data_bytes = left < EB_LINK_SEND_PAYLOAD ? left : EB_LINK_SEND_PAYLOAD};
    answer->payload_bytes = eb_output_answer_write(&written, answer->payload);
    return 0;
}
