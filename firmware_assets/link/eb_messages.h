// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Messages of the wire. Generated from messages.toml by tools/messages.py. */

#ifndef EB_MESSAGES_H
#define EB_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_PROTOCOL_VERSION 3u

/* Bit that turns the kind of a request into the kind of its answer. */
#define EB_ANSWER 0x80u

/* Bytes of a frame besides its payload: version, kind, sequence number; CRC-32. */
#define EB_FRAME_HEADER_BYTES 4u
#define EB_FRAME_CRC_BYTES 4u

/* Why a request was refused. */

/* The device speaks another protocol version (detail: its version). */
#define EB_ERROR_VERSION 1u
/* The device does not know this request (detail: its kind). */
#define EB_ERROR_REQUEST 2u
/* The payload does not have the form of this request (detail: its length in bytes). */
#define EB_ERROR_PAYLOAD 3u
/* No session is open: the device has restarted. */
#define EB_ERROR_SESSION 4u
/* The image has no front end. */
#define EB_ERROR_FRONTEND 5u
/* A stream is open; stop it first. */
#define EB_ERROR_STREAMING 6u
/* No stream is open. */
#define EB_ERROR_IDLE 7u
/* The upload is incomplete (detail: bytes accepted). */
#define EB_ERROR_INCOMPLETE 8u
/* The CRC-32 of the upload differs (detail: that of the bytes accepted). */
#define EB_ERROR_CRC 9u
/* Beyond the end (detail: position of the end). */
#define EB_ERROR_RANGE 10u
/* A setting is out of range. */
#define EB_ERROR_SETTING 11u
/* The device stands alone, it samples and decides without a host: watch it, or build without
 * --standalone. */
#define EB_ERROR_STANDALONE 12u
/* The device does not stand alone: stream samples to it, or build with --standalone. */
#define EB_ERROR_LINKED 13u

/* Kind of input that an upload transfers. */

/* Input of the network. */
#define EB_TARGET_IMAGE 0u
/* Samples for the front end, from reset. */
#define EB_TARGET_SEGMENT 1u

/* What the device does when streamed samples are missing. */

/* Accepts no samples until the missing ones arrive: for recordings. */
#define EB_ON_GAP_WAIT 0u
/* Starts over from reset at the sample that arrived: for live sources. */
#define EB_ON_GAP_RESTART 1u

/* Decisions that are not a class. */

/* Rest, if it is not a class of the model. */
#define EB_DECISION_REST 254u
/* No class was certain enough. */
#define EB_DECISION_REJECTED 255u

/* Reason for a decision. */

/* Majority of the last segments. */
#define EB_REASON_VOTE 0u
/* No class was certain enough. */
#define EB_REASON_UNCERTAIN 1u
/* The muscle is quiet: activity below the onset. */
#define EB_REASON_QUIET 2u
/* The previous class holds while no class is certain enough. */
#define EB_REASON_HELD 3u
/* No segment has been decided yet. */
#define EB_REASON_START 4u
/* No samples arrived in time. */
#define EB_REASON_TIMEOUT 5u
/* Samples are missing. */
#define EB_REASON_GAP 6u
/* The stream has ended. */
#define EB_REASON_STOPPED 7u
/* The device restarted after a fault, and no segment has been decided since. */
#define EB_REASON_FAULT 8u
/* The watchdog restarted the device, and no segment has been decided since. */
#define EB_REASON_WATCHDOG 9u
/* The sample source lost samples. */
#define EB_REASON_OVERRUN 10u
/* An electrode is off. */
#define EB_REASON_LEAD_OFF 11u
/* The converter does not answer. */
#define EB_REASON_DISCONNECTED 12u
/* The decision came too late: its newest sample was older than 250 ms. */
#define EB_REASON_LATE 13u
/* The supply was too low, and no segment has been decided since. */
#define EB_REASON_BROWNOUT 14u
/* The crystal failed or is missing, and no segment has been decided since. */
#define EB_REASON_CLOCK 15u

/* Why the device started. */

/* Power-on, reset pin, or a request of the host. */
#define EB_START_CAUSE_ORDINARY 0u
/* Processor fault. */
#define EB_START_CAUSE_FAULT 1u
/* The watchdog ended a hang. */
#define EB_START_CAUSE_WATCHDOG 2u
/* The supply was too low. */
#define EB_START_CAUSE_BROWNOUT 3u

/* Where the clock of the processor comes from. */

/* The crystal or clock of the board. */
#define EB_CLOCK_CRYSTAL 0u
/* The internal oscillator: the crystal is missing or failed. */
#define EB_CLOCK_INTERNAL 1u

/* What a host watches; a sum of these. */

/* Samples, as `samples`. */
#define EB_WATCH_SIGNALS 1u
/* Images, as `image_piece`. */
#define EB_WATCH_IMAGES 2u
/* Decisions and rests, as `decision` and `rest`. */
#define EB_WATCH_DECISIONS 4u
/* Counters, as `counters`. */
#define EB_WATCH_COUNTERS 8u

/* What a trace contains. */

/* Output of each layer of the network. */
#define EB_TRACE_SOURCE_LAYERS 0u
/* Output of each stage of the front end. */
#define EB_TRACE_SOURCE_STAGES 1u

static inline uint8_t eb_get_u8(const uint8_t *from)
{
    return from[0];
}

static inline uint16_t eb_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | (uint16_t)(from[1] << 8));
}

static inline uint32_t eb_get_u32(const uint8_t *from)
{
    return (uint32_t)eb_get_u16(from) | (uint32_t)eb_get_u16(from + 2) << 16;
}

static inline void eb_put_u8(uint8_t *to, uint8_t value)
{
    to[0] = value;
}

static inline void eb_put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void eb_put_u32(uint8_t *to, uint32_t value)
{
    eb_put_u16(to, (uint16_t)value);
    eb_put_u16(to + 2, (uint16_t)(value >> 16));
}

/* ping. Opens a session or keeps it alive. Opening with a new session number ends the previous
 * session, its stream and its upload; sequence numbers continue from this request's. A device
 * that has restarted has no session and refuses every other request, so the host notices a
 * restart in the middle of work. */
#define EB_KIND_PING 0x01u

typedef struct {
    /* Random session number of the host, not 0. */
    uint32_t session;
    /* 1: open the session; 0: keep it alive, refused if it is not the current one. */
    uint8_t open;
} eb_ping_request;

static inline bool eb_ping_request_read(eb_ping_request *to, const uint8_t *payload, size_t size)
{
    if (size != 5u) {
        return false;
    }
    to->session = eb_get_u32(payload + 0);
    to->open = eb_get_u8(payload + 4);
    return true;
}

#define EB_PING_ANSWER_BYTES 8u

typedef struct {
    /* The same number. */
    uint32_t session;
    /* Device time since start; wraps after 71.6 minutes. [us] */
    uint32_t time_us;
} eb_ping_answer;

static inline size_t eb_ping_answer_write(const eb_ping_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->session);
    eb_put_u32(payload + 4, from->time_us);
    return 8u;
}

/* identify. Board, image, and limits of the link. */
#define EB_KIND_IDENTIFY 0x02u

#define EB_IDENTIFY_ANSWER_BYTES 66u

typedef struct {
    /* Name of the board file that the image was built for. */
    char board[24];
    /* Processor that the image was built for. */
    char cpu[16];
    /* Clock of the processor. [Hz] */
    uint32_t clock_hz;
    /* First half of the SHA-256 of everything that the image was built from. */
    uint8_t build[16];
    /* Receive buffer: most bytes that the host may have in flight. [bytes] */
    uint32_t receive_bytes;
    /* Longest payload that the device accepts. [bytes] */
    uint16_t payload_bytes;
} eb_identify_answer;

static inline size_t eb_identify_answer_write(const eb_identify_answer *from, uint8_t *payload)
{
    memcpy(payload + 0, from->board, 24u);
    memcpy(payload + 24, from->cpu, 16u);
    eb_put_u32(payload + 40, from->clock_hz);
    memcpy(payload + 44, from->build, 16u);
    eb_put_u32(payload + 60, from->receive_bytes);
    eb_put_u16(payload + 64, from->payload_bytes);
    return 66u;
}

/* describe. Model, and shapes of its inputs and outputs. */
#define EB_KIND_DESCRIBE 0x03u

#define EB_DESCRIBE_ANSWER_BYTES 84u

typedef struct {
    /* SHA-256 of model.tflite. */
    uint8_t model_sha256[32];
    /* Input of the network. [bytes] */
    uint32_t input_bytes;
    /* Output of the network: one logit per class. [bytes] */
    uint32_t output_bytes;
    /* Layers that the network executes. */
    uint16_t layers;
    /* 1 if the image has a front end; otherwise this and the fields below are 0. */
    uint8_t frontend;
    /* Sampling rate. [mHz] */
    uint32_t rate_millihz;
    /* Channels of a sample. */
    uint16_t channels;
    /* Samples from reset to the first decision. [samples] */
    uint32_t segment_length;
    /* Samples between two decisions. [samples] */
    uint32_t step;
    /* Length of the majority vote. [segments] */
    uint8_t votes;
    /* Decisions that the device stores until the host has received them; 0 if it stands alone. */
    uint8_t decision_slots;
    /* 1 if the image samples and decides without a host. */
    uint8_t standalone;
    /* Sample source of such an image. */
    char source[12];
    /* Decision sink of such an image. */
    char sink[12];
} eb_describe_answer;

static inline size_t eb_describe_answer_write(const eb_describe_answer *from, uint8_t *payload)
{
    memcpy(payload + 0, from->model_sha256, 32u);
    eb_put_u32(payload + 32, from->input_bytes);
    eb_put_u32(payload + 36, from->output_bytes);
    eb_put_u16(payload + 40, from->layers);
    eb_put_u8(payload + 42, from->frontend);
    eb_put_u32(payload + 43, from->rate_millihz);
    eb_put_u16(payload + 47, from->channels);
    eb_put_u32(payload + 49, from->segment_length);
    eb_put_u32(payload + 53, from->step);
    eb_put_u8(payload + 57, from->votes);
    eb_put_u8(payload + 58, from->decision_slots);
    eb_put_u8(payload + 59, from->standalone);
    memcpy(payload + 60, from->source, 12u);
    memcpy(payload + 72, from->sink, 12u);
    return 84u;
}

/* statistics. Counters since the device started. */
#define EB_KIND_STATISTICS 0x04u

#define EB_STATISTICS_ANSWER_BYTES 78u

typedef struct {
    /* Device time since start; wraps after 71.6 minutes. [us] */
    uint32_t time_us;
    /* Frames accepted. */
    uint32_t frames;
    /* Frames dropped: wrong CRC, COBS or length. */
    uint32_t damaged_frames;
    /* Requests that arrived again and got the stored answer. */
    uint32_t repeated_requests;
    /* Requests older than the newest one, ignored. */
    uint32_t stale_requests;
    /* Bytes that the receiver lost. [bytes] */
    uint32_t overrun_bytes;
    /* Gaps in streamed samples. */
    uint32_t gaps;
    /* Inputs that the network has processed. */
    uint32_t images;
    /* Longest run of the network. [us] */
    uint32_t slowest_us;
    /* Peak stack use since reset; 0 if the machine cannot measure it. [bytes] */
    uint32_t stack_used;
    /* Stack reserved; 0 if the machine cannot measure it. [bytes] */
    uint32_t stack_size;
    /* Why the device started. */
    uint8_t start_cause;
    /* Instruction of the fault or hang before the last start; this and the next three are 0
     * after an ordinary one. */
    uint32_t fault_pc;
    /* Its link register. */
    uint32_t fault_lr;
    /* Its CFSR, which tells the kind of fault. */
    uint32_t fault_status;
    /* Address of the faulting access, if known. */
    uint32_t fault_address;
    /* Where the clock comes from. */
    uint8_t clock;
    /* Sample frames that the sample source has delivered; this and the next three are 0 unless
     * the image stands alone. */
    uint32_t source_frames;
    /* Sample frames that were lost or skipped. */
    uint32_t source_lost;
    /* Decisions. */
    uint32_t decisions;
    /* Records for the host that had no room in the transmitter. */
    uint32_t dropped_records;
} eb_statistics_answer;

static inline size_t eb_statistics_answer_write(const eb_statistics_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time_us);
    eb_put_u32(payload + 4, from->frames);
    eb_put_u32(payload + 8, from->damaged_frames);
    eb_put_u32(payload + 12, from->repeated_requests);
    eb_put_u32(payload + 16, from->stale_requests);
    eb_put_u32(payload + 20, from->overrun_bytes);
    eb_put_u32(payload + 24, from->gaps);
    eb_put_u32(payload + 28, from->images);
    eb_put_u32(payload + 32, from->slowest_us);
    eb_put_u32(payload + 36, from->stack_used);
    eb_put_u32(payload + 40, from->stack_size);
    eb_put_u8(payload + 44, from->start_cause);
    eb_put_u32(payload + 45, from->fault_pc);
    eb_put_u32(payload + 49, from->fault_lr);
    eb_put_u32(payload + 53, from->fault_status);
    eb_put_u32(payload + 57, from->fault_address);
    eb_put_u8(payload + 61, from->clock);
    eb_put_u32(payload + 62, from->source_frames);
    eb_put_u32(payload + 66, from->source_lost);
    eb_put_u32(payload + 70, from->decisions);
    eb_put_u32(payload + 74, from->dropped_records);
    return 78u;
}

/* reset. Restarts the device after it has answered. The session ends. */
#define EB_KIND_RESET 0x05u

/* settings. Current settings of the decision. */
#define EB_KIND_SETTINGS 0x06u

#define EB_SETTINGS_ANSWER_BYTES 15u

typedef struct {
    /* Length of the majority vote. [segments] */
    uint8_t votes;
    /* Segments for which the last class stays decided after the vote has become uncertain.
     * [segments] */
    uint8_t hold;
    /* Class that is rest, or the code of rest if there is no such class. */
    uint8_t rest;
    /* Smallest output of a class that is not rejected, plus 128; 256 rejects all. */
    uint16_t least;
    /* Without a softmax in the network: 2^15 over the smallest probability of a class that is
     * not rejected. */
    uint32_t limit;
    /* Activity below which the muscle is quiet; 0: never. [1/16 count] */
    uint32_t onset;
    /* Time without samples after which the decision is rest; 0: never. [ms] */
    uint16_t timeout_ms;
} eb_settings_answer;

static inline size_t eb_settings_answer_write(const eb_settings_answer *from, uint8_t *payload)
{
    eb_put_u8(payload + 0, from->votes);
    eb_put_u8(payload + 1, from->hold);
    eb_put_u8(payload + 2, from->rest);
    eb_put_u16(payload + 3, from->least);
    eb_put_u32(payload + 5, from->limit);
    eb_put_u32(payload + 9, from->onset);
    eb_put_u16(payload + 13, from->timeout_ms);
    return 15u;
}

/* configure. Changes the settings of the decision until the session ends. Refused while a stream
 * is open. A device that stands alone refuses a time-out of 0 or above 250 ms, and a hold beyond
 * a second, unless the image was built with it. */
#define EB_KIND_CONFIGURE 0x07u

typedef struct {
    /* As in settings; 1 to 31. [segments] */
    uint8_t votes;
    /* As in settings. [segments] */
    uint8_t hold;
    /* As in settings: what rest is, is fixed when the image is built. */
    uint8_t rest;
    /* As in settings; at most 256. */
    uint16_t least;
    /* As in settings. */
    uint32_t limit;
    /* As in settings. [1/16 count] */
    uint32_t onset;
    /* As in settings. [ms] */
    uint16_t timeout_ms;
} eb_configure_request;

static inline bool eb_configure_request_read(eb_configure_request *to, const uint8_t *payload,
                                             size_t size)
{
    if (size != 15u) {
        return false;
    }
    to->votes = eb_get_u8(payload + 0);
    to->hold = eb_get_u8(payload + 1);
    to->rest = eb_get_u8(payload + 2);
    to->least = eb_get_u16(payload + 3);
    to->limit = eb_get_u32(payload + 5);
    to->onset = eb_get_u32(payload + 9);
    to->timeout_ms = eb_get_u16(payload + 13);
    return true;
}

/* image. The image in flash, as the device reads it back now. A device that stands alone reads
 * it while it has nothing else to do, and refuses as long as that takes. */
#define EB_KIND_IMAGE 0x08u

#define EB_IMAGE_ANSWER_BYTES 36u

typedef struct {
    /* Length; 0 if the device cannot read its image. [bytes] */
    uint32_t size;
    /* SHA-256 of the image: that of firmware.bin if every bit is correct. */
    uint8_t sha256[32];
} eb_image_answer;

static inline size_t eb_image_answer_write(const eb_image_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->size);
    memcpy(payload + 4, from->sha256, 32u);
    return 36u;
}

/* enter_bootloader. Enters the chip's boot loader after the device has answered, to take a new
 * image. A device without one does not know this request. */
#define EB_KIND_ENTER_BOOTLOADER 0x09u

/* upload. Transfers the input of run_image or run_segment in pieces. Offset 0 starts over. The
 * device ignores a piece that does not continue the previous one; the answer says where to
 * continue. */
#define EB_KIND_UPLOAD 0x10u

typedef struct {
    /* Kind of input. */
    uint8_t target;
    /* Position of the piece. [bytes] */
    uint32_t offset;
    /* The piece; of a segment: whole samples, int16, channel by channel. */
    const uint8_t *data;
    size_t data_bytes;
} eb_upload_request;

static inline bool eb_upload_request_read(eb_upload_request *to, const uint8_t *payload,
                                          size_t size)
{
    if (size < 5u) {
        return false;
    }
    to->target = eb_get_u8(payload + 0);
    to->offset = eb_get_u32(payload + 1);
    to->data = payload + 5;
    to->data_bytes = size - 5u;
    return true;
}

#define EB_UPLOAD_ANSWER_BYTES 4u

typedef struct {
    /* Bytes accepted so far, counted from offset 0. [bytes] */
    uint32_t next_offset;
} eb_upload_answer;

static inline size_t eb_upload_answer_write(const eb_upload_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->next_offset);
    return 4u;
}

/* run_image. Runs the network on the uploaded image. */
#define EB_KIND_RUN_IMAGE 0x11u

typedef struct {
    /* CRC-32 of the whole image. */
    uint32_t crc;
} eb_run_image_request;

static inline bool eb_run_image_request_read(eb_run_image_request *to, const uint8_t *payload,
                                             size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->crc = eb_get_u32(payload + 0);
    return true;
}

#define EB_RUN_IMAGE_ANSWER_BYTES 4u /* and output */

typedef struct {
    /* Run time of the network. [us] */
    uint32_t model_us;
    /* Output of the network, or as much of it as fits (for the rest: output). */
    const uint8_t *output;
    size_t output_bytes;
} eb_run_image_answer;

static inline size_t eb_run_image_answer_write(const eb_run_image_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->model_us);
    memcpy(payload + 4, from->output, from->output_bytes);
    return 4u + from->output_bytes;
}

/* run_segment. Runs the front end, from reset, on the uploaded segment, and the network on its
 * image. */
#define EB_KIND_RUN_SEGMENT 0x12u

typedef struct {
    /* CRC-32 of the whole segment. */
    uint32_t crc;
} eb_run_segment_request;

static inline bool eb_run_segment_request_read(eb_run_segment_request *to, const uint8_t *payload,
                                               size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->crc = eb_get_u32(payload + 0);
    return true;
}

#define EB_RUN_SEGMENT_ANSWER_BYTES 12u /* and output */

typedef struct {
    /* CRC-32 of the image. */
    uint32_t image_crc;
    /* Run time of the front end. [us] */
    uint32_t frontend_us;
    /* Run time of the network. [us] */
    uint32_t model_us;
    /* Output of the network, or as much of it as fits (for the rest: output). */
    const uint8_t *output;
    size_t output_bytes;
} eb_run_segment_answer;

static inline size_t eb_run_segment_answer_write(const eb_run_segment_answer *from,
                                                 uint8_t *payload)
{
    eb_put_u32(payload + 0, from->image_crc);
    eb_put_u32(payload + 4, from->frontend_us);
    eb_put_u32(payload + 8, from->model_us);
    memcpy(payload + 12, from->output, from->output_bytes);
    return 12u + from->output_bytes;
}

/* output. Reads more of the last output. */
#define EB_KIND_OUTPUT 0x13u

typedef struct {
    /* First byte to read. [bytes] */
    uint32_t offset;
} eb_output_request;

static inline bool eb_output_request_read(eb_output_request *to, const uint8_t *payload,
                                          size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->offset = eb_get_u32(payload + 0);
    return true;
}

#define EB_OUTPUT_ANSWER_BYTES 0u /* and data */

typedef struct {
    /* Bytes from there on; empty at the end. */
    const uint8_t *data;
    size_t data_bytes;
} eb_output_answer;

static inline size_t eb_output_answer_write(const eb_output_answer *from, uint8_t *payload)
{
    memcpy(payload + 0, from->data, from->data_bytes);
    return 0u + from->data_bytes;
}

/* stream_start. Resets the front end and the votes, and opens a stream at sample 0. */
#define EB_KIND_STREAM_START 0x20u

typedef struct {
    /* Reaction to missing samples. */
    uint8_t on_gap;
    /* 1: the decision is rest after the time-out in the settings without samples; 0: no time-
     * out, for samples that are sent faster or slower than they were recorded. */
    uint8_t real_time;
} eb_stream_start_request;

static inline bool eb_stream_start_request_read(eb_stream_start_request *to, const uint8_t *payload,
                                                size_t size)
{
    if (size != 2u) {
        return false;
    }
    to->on_gap = eb_get_u8(payload + 0);
    to->real_time = eb_get_u8(payload + 1);
    return true;
}

/* stream_samples. The next samples. The device skips samples that it already has and never skips
 * missing ones: it reports a gap, then waits for them or starts over. */
#define EB_KIND_STREAM_SAMPLES 0x21u

typedef struct {
    /* Index of the first sample, counted from the start of the stream. [samples] */
    uint32_t first;
    /* Decisions that the host has received, without gaps from 0; the device frees their slots. */
    uint32_t received;
    /* Number of samples. [samples] */
    uint16_t count;
    /* Width of a value, 1 to 16: as few bits as the largest value needs. [bits] */
    uint8_t bits;
    /* Values in two's complement, sample by sample, channel by channel, from the lowest bit of
     * each byte up; the last byte is padded with zeros. */
    const uint8_t *packed;
    size_t packed_bytes;
} eb_stream_samples_request;

static inline bool eb_stream_samples_request_read(eb_stream_samples_request *to,
                                                  const uint8_t *payload, size_t size)
{
    if (size < 11u) {
        return false;
    }
    to->first = eb_get_u32(payload + 0);
    to->received = eb_get_u32(payload + 4);
    to->count = eb_get_u16(payload + 8);
    to->bits = eb_get_u8(payload + 10);
    to->packed = payload + 11;
    to->packed_bytes = size - 11u;
    return true;
}

#define EB_STREAM_SAMPLES_ANSWER_BYTES 8u

typedef struct {
    /* Index of the sample that the device expects next. [samples] */
    uint32_t next_sample;
    /* Decisions in this stream so far. */
    uint32_t decisions;
} eb_stream_samples_answer;

static inline size_t eb_stream_samples_answer_write(const eb_stream_samples_answer *from,
                                                    uint8_t *payload)
{
    eb_put_u32(payload + 0, from->next_sample);
    eb_put_u32(payload + 4, from->decisions);
    return 8u;
}

/* stream_recall. Requests a decision that has not arrived. The answer has the form of the event
 * `decision`. */
#define EB_KIND_STREAM_RECALL 0x22u

typedef struct {
    /* Index of the decision, counted from the start of the stream. */
    uint32_t index;
} eb_stream_recall_request;

static inline bool eb_stream_recall_request_read(eb_stream_recall_request *to,
                                                 const uint8_t *payload, size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->index = eb_get_u32(payload + 0);
    return true;
}

/* stream_stop. Ends the stream. */
#define EB_KIND_STREAM_STOP 0x23u

#define EB_STREAM_STOP_ANSWER_BYTES 12u

typedef struct {
    /* Samples accepted. [samples] */
    uint32_t samples;
    /* Decisions in this stream. */
    uint32_t decisions;
    /* Gaps in this stream. */
    uint32_t gaps;
} eb_stream_stop_answer;

static inline size_t eb_stream_stop_answer_write(const eb_stream_stop_answer *from,
                                                 uint8_t *payload)
{
    eb_put_u32(payload + 0, from->samples);
    eb_put_u32(payload + 4, from->decisions);
    eb_put_u32(payload + 8, from->gaps);
    return 12u;
}

/* current_decision. The current decision, with or without a stream. The answer has the form of
 * the event `rest`. */
#define EB_KIND_CURRENT_DECISION 0x24u

/* watch. Watches a device that stands alone: it sends records from now on. Records that find no
 * room in the transmitter are dropped and counted; decisions are not affected. */
#define EB_KIND_WATCH 0x40u

typedef struct {
    /* Sum of the codes of what is watched; 0: nothing. */
    uint8_t records;
} eb_watch_request;

static inline bool eb_watch_request_read(eb_watch_request *to, const uint8_t *payload, size_t size)
{
    if (size != 1u) {
        return false;
    }
    to->records = eb_get_u8(payload + 0);
    return true;
}

#define EB_WATCH_ANSWER_BYTES 12u

typedef struct {
    /* Device time. [us] */
    uint32_t time_us;
    /* Number of the next sample frame. */
    uint32_t next_frame;
    /* Number of the next record. */
    uint32_t next_record;
} eb_watch_answer;

static inline size_t eb_watch_answer_write(const eb_watch_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time_us);
    eb_put_u32(payload + 4, from->next_frame);
    eb_put_u32(payload + 8, from->next_record);
    return 12u;
}

/* record. Starts or ends a recording: the device sends all samples and marks, whatever is
 * watched. */
#define EB_KIND_RECORD 0x41u

typedef struct {
    /* 1: start; 0: end. */
    uint8_t on;
} eb_record_request;

static inline bool eb_record_request_read(eb_record_request *to, const uint8_t *payload,
                                          size_t size)
{
    if (size != 1u) {
        return false;
    }
    to->on = eb_get_u8(payload + 0);
    return true;
}

#define EB_RECORD_ANSWER_BYTES 12u

typedef struct {
    /* Device time. [us] */
    uint32_t time_us;
    /* Number of the next sample frame. */
    uint32_t next_frame;
    /* Number of the next record. */
    uint32_t next_record;
} eb_record_answer;

static inline size_t eb_record_answer_write(const eb_record_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time_us);
    eb_put_u32(payload + 4, from->next_frame);
    eb_put_u32(payload + 8, from->next_record);
    return 12u;
}

/* cue. Marks this moment in the recording, in the device's time. */
#define EB_KIND_CUE 0x42u

typedef struct {
    /* A number of the host. */
    uint32_t label;
} eb_cue_request;

static inline bool eb_cue_request_read(eb_cue_request *to, const uint8_t *payload, size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->label = eb_get_u32(payload + 0);
    return true;
}

#define EB_CUE_ANSWER_BYTES 8u

typedef struct {
    /* Device time. [us] */
    uint32_t time_us;
    /* Number of the next sample frame. */
    uint32_t next_frame;
} eb_cue_answer;

static inline size_t eb_cue_answer_write(const eb_cue_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time_us);
    eb_put_u32(payload + 4, from->next_frame);
    return 8u;
}

/* trace_begin. From now on, uploads and runs send the outputs of layers or of front-end stages
 * as events `trace`. Only images built for it know this request (edgebio build --hil). */
#define EB_KIND_TRACE_BEGIN 0x30u

typedef struct {
    /* Layers or stages. */
    uint8_t source;
    /* 1: complete outputs; 0: checksums only, of a stage when the trace ends. */
    uint8_t data;
    /* First layer, or first stage by its number in eb_frontend.h. */
    uint16_t first;
    /* Last layer or stage. */
    uint16_t last;
} eb_trace_begin_request;

static inline bool eb_trace_begin_request_read(eb_trace_begin_request *to, const uint8_t *payload,
                                               size_t size)
{
    if (size != 6u) {
        return false;
    }
    to->source = eb_get_u8(payload + 0);
    to->data = eb_get_u8(payload + 1);
    to->first = eb_get_u16(payload + 2);
    to->last = eb_get_u16(payload + 4);
    return true;
}

/* trace_end. Ends the trace. */
#define EB_KIND_TRACE_END 0x31u

#define EB_TRACE_END_ANSWER_BYTES 8u

typedef struct {
    /* Events `trace` since trace_begin. */
    uint32_t events;
    /* Bytes in their records, without the records' headers. [bytes] */
    uint32_t bytes;
} eb_trace_end_answer;

static inline size_t eb_trace_end_answer_write(const eb_trace_end_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->events);
    eb_put_u32(payload + 4, from->bytes);
    return 8u;
}

/* decision. A decision. The device stores it until a stream_samples confirms that the host has
 * received it. A device that stands alone sends it to a host that watches, and does not store
 * it; samples are sample frames then, and the stream began at its start. */
#define EB_KIND_DECISION 0x60u

#define EB_DECISION_EVENT_BYTES 37u /* and logits */

typedef struct {
    /* Index of the decision, counted from the start of the stream. */
    uint32_t index;
    /* First sample since the front end was last reset. [samples] */
    uint32_t origin;
    /* One past the last sample of the segment. [samples] */
    uint32_t end;
    /* Device time of the decision. [us] */
    uint32_t time_us;
    /* Run time of the front end since the previous decision. [us] */
    uint32_t frontend_us;
    /* Run time of the network and the decision. [us] */
    uint32_t compute_us;
    /* CRC-32 of the image. */
    uint32_t image_crc;
    /* Mean absolute difference between consecutive samples, over all channels, since the
     * previous decision. [1/16 count] */
    uint32_t activity;
    /* Resets of the votes in this stream so far, after a gap or a time-out. */
    uint16_t vote_resets;
    /* Class of this segment alone, rest or rejected. */
    uint8_t winner;
    /* Class after the vote, rest or rejected. */
    uint8_t decision;
    /* Reason for the decision. */
    uint8_t reason;
    /* Output of the network, one int8 per class. */
    const uint8_t *logits;
    size_t logits_bytes;
} eb_decision_event;

static inline size_t eb_decision_event_write(const eb_decision_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->index);
    eb_put_u32(payload + 4, from->origin);
    eb_put_u32(payload + 8, from->end);
    eb_put_u32(payload + 12, from->time_us);
    eb_put_u32(payload + 16, from->frontend_us);
    eb_put_u32(payload + 20, from->compute_us);
    eb_put_u32(payload + 24, from->image_crc);
    eb_put_u32(payload + 28, from->activity);
    eb_put_u16(payload + 32, from->vote_resets);
    eb_put_u8(payload + 34, from->winner);
    eb_put_u8(payload + 35, from->decision);
    eb_put_u8(payload + 36, from->reason);
    memcpy(payload + 37, from->logits, from->logits_bytes);
    return 37u + from->logits_bytes;
}

/* gap. Samples are missing in the stream. */
#define EB_KIND_GAP 0x61u

#define EB_GAP_EVENT_BYTES 8u

typedef struct {
    /* Index of the sample that the device expected. [samples] */
    uint32_t expected;
    /* Index of the sample that arrived. [samples] */
    uint32_t received;
} eb_gap_event;

static inline size_t eb_gap_event_write(const eb_gap_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->expected);
    eb_put_u32(payload + 4, from->received);
    return 8u;
}

/* rest. The decision is rest, without a segment, until the next segment is decided. Repeated
 * after every further time-out. The device does not store this event; current_decision reads it
 * at any time. */
#define EB_KIND_REST 0x62u

#define EB_REST_EVENT_BYTES 10u

typedef struct {
    /* Device time. [us] */
    uint32_t time_us;
    /* Index of the sample that the device expects next. [samples] */
    uint32_t next_sample;
    /* The class that is rest, or rest. */
    uint8_t decision;
    /* Reason for the decision. */
    uint8_t reason;
} eb_rest_event;

static inline size_t eb_rest_event_write(const eb_rest_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time_us);
    eb_put_u32(payload + 4, from->next_sample);
    eb_put_u8(payload + 8, from->decision);
    eb_put_u8(payload + 9, from->reason);
    return 10u;
}

/* trace. Outputs of layers or stages as records: a `trace_record` and its data. Records with the
 * same index and part belong together, in this order. */
#define EB_KIND_TRACE 0x63u

#define EB_TRACE_EVENT_BYTES 4u /* and records */

typedef struct {
    /* Index of the event in the trace. */
    uint32_t number;
    /* Records. */
    const uint8_t *records;
    size_t records_bytes;
} eb_trace_event;

static inline size_t eb_trace_event_write(const eb_trace_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->number);
    memcpy(payload + 4, from->records, from->records_bytes);
    return 4u + from->records_bytes;
}

/* samples. Consecutive sample frames of the sample source. */
#define EB_KIND_SAMPLES 0x64u

#define EB_SAMPLES_EVENT_BYTES 18u /* and values */

typedef struct {
    /* Index of the record; dropped records are counted. */
    uint32_t number;
    /* Number of the first sample frame; those of lost frames are skipped. */
    uint32_t first;
    /* Device time at the trigger of the first frame. [us] */
    uint32_t time_us;
    /* Bit c: the electrode of channel c is off. */
    uint32_t leads_off;
    /* Sample frames. */
    uint16_t count;
    /* int16, frame by frame, channel by channel. */
    const uint8_t *values;
    size_t values_bytes;
} eb_samples_event;

static inline size_t eb_samples_event_write(const eb_samples_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->number);
    eb_put_u32(payload + 4, from->first);
    eb_put_u32(payload + 8, from->time_us);
    eb_put_u32(payload + 12, from->leads_off);
    eb_put_u16(payload + 16, from->count);
    memcpy(payload + 18, from->values, from->values_bytes);
    return 18u + from->values_bytes;
}

/* image_piece. A piece of the image that the network has decided on. */
#define EB_KIND_IMAGE_PIECE 0x65u

#define EB_IMAGE_PIECE_EVENT_BYTES 12u /* and data */

typedef struct {
    /* Index of the record; dropped records are counted. */
    uint32_t number;
    /* Index of the decision. */
    uint32_t index;
    /* Position of the piece in the image. [bytes] */
    uint32_t offset;
    /* The piece. */
    const uint8_t *data;
    size_t data_bytes;
} eb_image_piece_event;

static inline size_t eb_image_piece_event_write(const eb_image_piece_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->number);
    eb_put_u32(payload + 4, from->index);
    eb_put_u32(payload + 8, from->offset);
    memcpy(payload + 12, from->data, from->data_bytes);
    return 12u + from->data_bytes;
}

/* counters. Counters since the start, once a second. */
#define EB_KIND_COUNTERS 0x66u

#define EB_COUNTERS_EVENT_BYTES 32u

typedef struct {
    /* Index of the record; dropped records are counted. */
    uint32_t number;
    /* Device time. [us] */
    uint32_t time_us;
    /* Sample frames that the sample source has delivered. */
    uint32_t frames;
    /* Sample frames that were lost or skipped. */
    uint32_t lost;
    /* Decisions. */
    uint32_t decisions;
    /* Records that had no room in the transmitter. */
    uint32_t dropped;
    /* Longest run of the network. [us] */
    uint32_t slowest_us;
    /* Greatest age of the newest sample of a segment at its decision. [us] */
    uint32_t oldest_us;
} eb_counters_event;

static inline size_t eb_counters_event_write(const eb_counters_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->number);
    eb_put_u32(payload + 4, from->time_us);
    eb_put_u32(payload + 8, from->frames);
    eb_put_u32(payload + 12, from->lost);
    eb_put_u32(payload + 16, from->decisions);
    eb_put_u32(payload + 20, from->dropped);
    eb_put_u32(payload + 24, from->slowest_us);
    eb_put_u32(payload + 28, from->oldest_us);
    return 32u;
}

/* mark. A cue of the host, in the recording. */
#define EB_KIND_MARK 0x67u

#define EB_MARK_EVENT_BYTES 16u

typedef struct {
    /* Index of the record; dropped records are counted. */
    uint32_t number;
    /* The number of the host. */
    uint32_t label;
    /* Device time. [us] */
    uint32_t time_us;
    /* Number of the next sample frame. */
    uint32_t next_frame;
} eb_mark_event;

static inline size_t eb_mark_event_write(const eb_mark_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->number);
    eb_put_u32(payload + 4, from->label);
    eb_put_u32(payload + 8, from->time_us);
    eb_put_u32(payload + 12, from->next_frame);
    return 16u;
}

/* error. Refuses a request. Nothing has changed on the device. */
#define EB_KIND_ERROR 0xFFu

#define EB_ERROR_EVENT_BYTES 5u

typedef struct {
    /* Reason for the refusal. */
    uint8_t code;
    /* A number that belongs to the code. */
    uint32_t detail;
} eb_error_event;

static inline size_t eb_error_event_write(const eb_error_event *from, uint8_t *payload)
{
    eb_put_u8(payload + 0, from->code);
    eb_put_u32(payload + 1, from->detail);
    return 5u;
}

/* Header of a record in the event `trace`. */
#define EB_TRACE_RECORD_BYTES 7u

typedef struct {
    /* Layers or stages. */
    uint8_t source;
    /* Layer or stage. */
    uint16_t index;
    /* Channel of a stage; 0 for a layer. */
    uint16_t part;
    /* Bytes of data that follow. [bytes] */
    uint16_t length;
} eb_trace_record;

static inline size_t eb_trace_record_write(const eb_trace_record *from, uint8_t *payload)
{
    eb_put_u8(payload + 0, from->source);
    eb_put_u16(payload + 1, from->index);
    eb_put_u16(payload + 3, from->part);
    eb_put_u16(payload + 5, from->length);
    return 7u;
}

/* Data of a record in a trace without complete outputs. */
#define EB_TRACE_CHECKSUM_BYTES 8u

typedef struct {
    /* Bytes of the output. [bytes] */
    uint32_t size;
    /* CRC-32 of the output. */
    uint32_t crc;
} eb_trace_checksum;

static inline size_t eb_trace_checksum_write(const eb_trace_checksum *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->size);
    eb_put_u32(payload + 4, from->crc);
    return 8u;
}

#ifdef __cplusplus
}
#endif

#endif
