/* Messages of the wire: made from messages.toml by tools/messages.py. */

#ifndef EB_MESSAGES_H
#define EB_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EB_PROTOCOL_VERSION 2u

/* Bit that makes a request's kind its answer's. */
#define EB_ANSWER 0x80u

/* Bytes of a frame besides its payload: version, kind, sequence number; CRC-32. */
#define EB_FRAME_HEADER_BYTES 4u
#define EB_FRAME_CRC_BYTES 4u

/* Why a request was refused. */

/* The device speaks another protocol version (detail: which). */
#define EB_ERROR_VERSION 1u
/* The device does not know this request (detail: its kind). */
#define EB_ERROR_REQUEST 2u
/* The payload does not have this request's form (detail: its length in bytes). */
#define EB_ERROR_PAYLOAD 3u
/* No session is open: the device has restarted. */
#define EB_ERROR_SESSION 4u
/* The image carries no front end. */
#define EB_ERROR_FRONTEND 5u
/* A stream is open; stop it first. */
#define EB_ERROR_STREAMING 6u
/* No stream is open. */
#define EB_ERROR_IDLE 7u
/* The upload is not whole (detail: bytes taken). */
#define EB_ERROR_INCOMPLETE 8u
/* The upload's CRC-32 differs (detail: that of the bytes taken). */
#define EB_ERROR_CRC 9u
/* Beyond the end (detail: where the end is). */
#define EB_ERROR_RANGE 10u
/* A setting is not possible. */
#define EB_ERROR_SETTING 11u

/* What an upload hands over. */

/* Input of the network. */
#define EB_TARGET_IMAGE 0u
/* Samples for the front end, from reset. */
#define EB_TARGET_WINDOW 1u

/* What the device does where streamed samples do not follow on. */

/* Takes nothing until the missing samples come: for recordings. */
#define EB_ON_GAP_WAIT 0u
/* Begins anew, from reset, at the sample that came: for live sources. */
#define EB_ON_GAP_RESTART 1u

/* Decisions that are not a class. */

/* Rest, where no class of the model is. */
#define EB_DECISION_REST 254u
/* No class was certain enough. */
#define EB_DECISION_REJECTED 255u

/* Why the decision is what it is. */

/* Most of the last windows voted for it. */
#define EB_REASON_VOTE 0u
/* No class was certain enough. */
#define EB_REASON_UNCERTAIN 1u
/* The muscle is quiet: activity below the onset. */
#define EB_REASON_QUIET 2u
/* The class before is held, while none is certain enough. */
#define EB_REASON_HELD 3u
/* No window has been decided yet. */
#define EB_REASON_START 4u
/* Samples did not come in time. */
#define EB_REASON_TIMEOUT 5u
/* Samples are missing. */
#define EB_REASON_GAP 6u
/* The stream has ended. */
#define EB_REASON_STOPPED 7u
/* The device restarted after a fault, and no window has been decided since. */
#define EB_REASON_FAULT 8u
/* The watchdog restarted the device, and no window has been decided since. */
#define EB_REASON_WATCHDOG 9u

/* Why the device started. */

/* Power, its reset pin, or the host asked for it. */
#define EB_START_ORDINARY 0u
/* The processor met a fault. */
#define EB_START_FAULT 1u
/* The firmware hung, and the watchdog saw it. */
#define EB_START_WATCHDOG 2u

/* What a trace is of. */

/* Output of each layer of the network. */
#define EB_TRACED_LAYERS 0u
/* Each stage of the front end. */
#define EB_TRACED_STAGES 1u

static inline uint8_t eb_get_u8(const uint8_t *at)
{
    return at[0];
}

static inline uint16_t eb_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (uint16_t)(at[1] << 8));
}

static inline uint32_t eb_get_u32(const uint8_t *at)
{
    return (uint32_t)eb_get_u16(at) | (uint32_t)eb_get_u16(at + 2) << 16;
}

static inline void eb_put_u8(uint8_t *at, uint8_t value)
{
    at[0] = value;
}

static inline void eb_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void eb_put_u32(uint8_t *at, uint32_t value)
{
    eb_put_u16(at, (uint16_t)value);
    eb_put_u16(at + 2, (uint16_t)(value >> 16));
}

/* ping. Opens a session, or is its heart-beat. Opening with a number that is new to the device
 * ends the session before, its stream and its upload, and sequence numbers go on from its own. A
 * device that has restarted has no session and refuses every request but one that opens, so that
 * a restart in the middle of work is noticed. */
#define EB_KIND_PING 0x01u

typedef struct {
    /* Number that the host has drawn for this session, not 0. */
    uint32_t session;
    /* 1: opens the session; 0: a heart-beat, refused where it is not the device's. */
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
    uint32_t time;
} eb_ping_answer;

static inline size_t eb_ping_answer_write(const eb_ping_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->session);
    eb_put_u32(payload + 4, from->time);
    return 8u;
}

/* identify. Which board, which image and what the link may be given. */
#define EB_KIND_IDENTIFY 0x02u

#define EB_IDENTIFY_ANSWER_BYTES 66u

typedef struct {
    /* Name of the board file that the image was built for. */
    char board[24];
    /* Processor core that the image was built for. */
    char core[16];
    /* Core clock. [Hz] */
    uint32_t clock;
    /* First half of the SHA-256 that names what the image was built from. */
    uint8_t build[16];
    /* What the device can hold unread: the most that may be under way to it. [bytes] */
    uint32_t receive_bytes;
    /* Longest payload that the device takes. [bytes] */
    uint16_t payload_bytes;
} eb_identify_answer;

static inline size_t eb_identify_answer_write(const eb_identify_answer *from, uint8_t *payload)
{
    memcpy(payload + 0, from->board, 24u);
    memcpy(payload + 24, from->core, 16u);
    eb_put_u32(payload + 40, from->clock);
    memcpy(payload + 44, from->build, 16u);
    eb_put_u32(payload + 60, from->receive_bytes);
    eb_put_u16(payload + 64, from->payload_bytes);
    return 66u;
}

/* describe. Which model, and the shape of what goes in and comes out. */
#define EB_KIND_DESCRIBE 0x03u

#define EB_DESCRIBE_ANSWER_BYTES 59u

typedef struct {
    /* SHA-256 of model.tflite. */
    uint8_t model[32];
    /* Input of the network. [bytes] */
    uint32_t input_bytes;
    /* Output of the network: one logit a class. [bytes] */
    uint32_t output_bytes;
    /* Layers that the network executes. */
    uint16_t layers;
    /* 1 where the image carries a front end; the fields below are 0 otherwise. */
    uint8_t frontend;
    /* Rate of the samples. [mHz] */
    uint32_t rate;
    /* Channels of a sample. */
    uint16_t channels;
    /* Samples from reset to the first image. [samples] */
    uint32_t window;
    /* Samples from one image to the next. [samples] */
    uint32_t step;
    /* Length of the majority vote. [windows] */
    uint8_t votes;
    /* Decisions that the device keeps until the host has them. */
    uint8_t kept;
} eb_describe_answer;

static inline size_t eb_describe_answer_write(const eb_describe_answer *from, uint8_t *payload)
{
    memcpy(payload + 0, from->model, 32u);
    eb_put_u32(payload + 32, from->input_bytes);
    eb_put_u32(payload + 36, from->output_bytes);
    eb_put_u16(payload + 40, from->layers);
    eb_put_u8(payload + 42, from->frontend);
    eb_put_u32(payload + 43, from->rate);
    eb_put_u16(payload + 47, from->channels);
    eb_put_u32(payload + 49, from->window);
    eb_put_u32(payload + 53, from->step);
    eb_put_u8(payload + 57, from->votes);
    eb_put_u8(payload + 58, from->kept);
    return 59u;
}

/* statistics. What the device has counted since it started. */
#define EB_KIND_STATISTICS 0x04u

#define EB_STATISTICS_ANSWER_BYTES 61u

typedef struct {
    /* Device time since start; wraps after 71.6 minutes. [us] */
    uint32_t time;
    /* Frames accepted. */
    uint32_t frames;
    /* Frames dropped: bad CRC, bad COBS, too short or too long. */
    uint32_t damaged;
    /* Requests that came again and were answered from memory. */
    uint32_t repeated;
    /* Requests older than the newest, ignored. */
    uint32_t stale;
    /* Bytes that the receiver lost. [bytes] */
    uint32_t overruns;
    /* Times that streamed samples did not follow on. */
    uint32_t gaps;
    /* Images that went through the network. */
    uint32_t images;
    /* Longest run of the network. [us] */
    uint32_t slowest;
    /* Most stack used since reset; 0 where the machine cannot tell. [bytes] */
    uint32_t stack_used;
    /* Stack that there is; 0 where the machine cannot tell. [bytes] */
    uint32_t stack_size;
    /* Why the device started. */
    uint8_t start;
    /* Instruction of the fault, or of the hang, that the last start recovered from; the four are
     * 0 after an ordinary one. */
    uint32_t fault_pc;
    /* Its link register. */
    uint32_t fault_lr;
    /* Its CFSR: which fault it was. */
    uint32_t fault_status;
    /* Address that it touched, where known. */
    uint32_t fault_address;
} eb_statistics_answer;

static inline size_t eb_statistics_answer_write(const eb_statistics_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time);
    eb_put_u32(payload + 4, from->frames);
    eb_put_u32(payload + 8, from->damaged);
    eb_put_u32(payload + 12, from->repeated);
    eb_put_u32(payload + 16, from->stale);
    eb_put_u32(payload + 20, from->overruns);
    eb_put_u32(payload + 24, from->gaps);
    eb_put_u32(payload + 28, from->images);
    eb_put_u32(payload + 32, from->slowest);
    eb_put_u32(payload + 36, from->stack_used);
    eb_put_u32(payload + 40, from->stack_size);
    eb_put_u8(payload + 44, from->start);
    eb_put_u32(payload + 45, from->fault_pc);
    eb_put_u32(payload + 49, from->fault_lr);
    eb_put_u32(payload + 53, from->fault_status);
    eb_put_u32(payload + 57, from->fault_address);
    return 61u;
}

/* reset. Restarts the device, after it has answered. The session ends. */
#define EB_KIND_RESET 0x05u

/* settings. By which settings the device decides. */
#define EB_KIND_SETTINGS 0x06u

#define EB_SETTINGS_ANSWER_BYTES 15u

typedef struct {
    /* Length of the majority vote. [windows] */
    uint8_t votes;
    /* Windows that a class stays decided after the vote has become uncertain. [windows] */
    uint8_t hold;
    /* Class that is rest, or the number of rest where there is no such class. */
    uint8_t rest;
    /* Smallest output of a winner that is not rejected, plus 128; 256 rejects all. */
    uint16_t least;
    /* Before a softmax: 2^15 over the smallest probability of a winner that is not rejected. */
    uint32_t limit;
    /* Activity below which the muscle is quiet; 0: never. [1/16 count] */
    uint32_t onset;
    /* Time without samples until the decision is rest; 0: never. [ms] */
    uint16_t timeout;
} eb_settings_answer;

static inline size_t eb_settings_answer_write(const eb_settings_answer *from, uint8_t *payload)
{
    eb_put_u8(payload + 0, from->votes);
    eb_put_u8(payload + 1, from->hold);
    eb_put_u8(payload + 2, from->rest);
    eb_put_u16(payload + 3, from->least);
    eb_put_u32(payload + 5, from->limit);
    eb_put_u32(payload + 9, from->onset);
    eb_put_u16(payload + 13, from->timeout);
    return 15u;
}

/* configure. Changes the settings of the decision until the session ends. Refused while a stream
 * is open. */
#define EB_KIND_CONFIGURE 0x07u

typedef struct {
    /* As in settings; 1 to 31. [windows] */
    uint8_t votes;
    /* As in settings. [windows] */
    uint8_t hold;
    /* As in settings. */
    uint8_t rest;
    /* As in settings; at most 256. */
    uint16_t least;
    /* As in settings. */
    uint32_t limit;
    /* As in settings. [1/16 count] */
    uint32_t onset;
    /* As in settings. [ms] */
    uint16_t timeout;
} eb_configure_request;

static inline bool eb_configure_request_read(eb_configure_request *to, const uint8_t *payload, size_t size)
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
    to->timeout = eb_get_u16(payload + 13);
    return true;
}

/* image. What lies in flash: the image, as the device reads it back now. */
#define EB_KIND_IMAGE 0x08u

#define EB_IMAGE_ANSWER_BYTES 36u

typedef struct {
    /* Length; 0 where the device cannot read its image. [bytes] */
    uint32_t size;
    /* SHA-256 of it; that of firmware.bin where every bit is as it was built. */
    uint8_t sha256[32];
} eb_image_answer;

static inline size_t eb_image_answer_write(const eb_image_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->size);
    memcpy(payload + 4, from->sha256, 32u);
    return 36u;
}

/* upload. Hands over the input of run_image or run_window in pieces. Offset 0 begins anew. A
 * piece that does not follow on is not taken; the answer says where to go on. */
#define EB_KIND_UPLOAD 0x10u

typedef struct {
    /* What is handed over. */
    uint8_t target;
    /* Where the piece belongs. [bytes] */
    uint32_t offset;
    /* The piece; of a window: whole samples, int16, channel by channel. */
    const uint8_t *data;
    size_t data_bytes;
} eb_upload_request;

static inline bool eb_upload_request_read(eb_upload_request *to, const uint8_t *payload, size_t size)
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
    /* Bytes taken so far, counted from offset 0. [bytes] */
    uint32_t next;
} eb_upload_answer;

static inline size_t eb_upload_answer_write(const eb_upload_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->next);
    return 4u;
}

/* run_image. Runs the network on the image that was uploaded. */
#define EB_KIND_RUN_IMAGE 0x11u

typedef struct {
    /* CRC-32 of the whole image. */
    uint32_t crc;
} eb_run_image_request;

static inline bool eb_run_image_request_read(eb_run_image_request *to, const uint8_t *payload, size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->crc = eb_get_u32(payload + 0);
    return true;
}

#define EB_RUN_IMAGE_ANSWER_BYTES 4u /* and output */

typedef struct {
    /* Time that the network took. [us] */
    uint32_t model_us;
    /* The network's output, or its beginning (then: output). */
    const uint8_t *output;
    size_t output_bytes;
} eb_run_image_answer;

static inline size_t eb_run_image_answer_write(const eb_run_image_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->model_us);
    memcpy(payload + 4, from->output, from->output_bytes);
    return 4u + from->output_bytes;
}

/* run_window. Runs the network on the image that the front end made, from reset, of the window
 * uploaded. */
#define EB_KIND_RUN_WINDOW 0x12u

typedef struct {
    /* CRC-32 of the whole window. */
    uint32_t crc;
} eb_run_window_request;

static inline bool eb_run_window_request_read(eb_run_window_request *to, const uint8_t *payload, size_t size)
{
    if (size != 4u) {
        return false;
    }
    to->crc = eb_get_u32(payload + 0);
    return true;
}

#define EB_RUN_WINDOW_ANSWER_BYTES 12u /* and output */

typedef struct {
    /* CRC-32 of the image. */
    uint32_t image_crc;
    /* Time that the front end took. [us] */
    uint32_t frontend_us;
    /* Time that the network took. [us] */
    uint32_t model_us;
    /* The network's output, or its beginning (then: output). */
    const uint8_t *output;
    size_t output_bytes;
} eb_run_window_answer;

static inline size_t eb_run_window_answer_write(const eb_run_window_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->image_crc);
    eb_put_u32(payload + 4, from->frontend_us);
    eb_put_u32(payload + 8, from->model_us);
    memcpy(payload + 12, from->output, from->output_bytes);
    return 12u + from->output_bytes;
}

/* output. Reads more of the output of the last run. */
#define EB_KIND_OUTPUT 0x13u

typedef struct {
    /* Where to begin. [bytes] */
    uint32_t offset;
} eb_output_request;

static inline bool eb_output_request_read(eb_output_request *to, const uint8_t *payload, size_t size)
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
    /* What to do where samples do not follow on. */
    uint8_t on_gap;
    /* 1: where no samples are taken for the settings' time-out the decision is rest; 0, for
     * recordings that are not sent at their own pace: it is not. */
    uint8_t timed;
} eb_stream_start_request;

static inline bool eb_stream_start_request_read(eb_stream_start_request *to, const uint8_t *payload, size_t size)
{
    if (size != 2u) {
        return false;
    }
    to->on_gap = eb_get_u8(payload + 0);
    to->timed = eb_get_u8(payload + 1);
    return true;
}

/* stream_samples. The next samples. Samples that came before are skipped, and none are ever
 * skipped over: where they do not follow on, a gap is reported and the stream waits for them or
 * begins anew. */
#define EB_KIND_STREAM_SAMPLES 0x21u

typedef struct {
    /* Number of the first sample, counted from the stream's start. [samples] */
    uint32_t first;
    /* Decisions that the host has, all from 0 on; the device forgets them. */
    uint32_t decided;
    /* How many samples. [samples] */
    uint16_t count;
    /* Width of a value, 1 to 16: no wider than the largest one needs. [bits] */
    uint8_t bits;
    /* Values in two's complement, sample by sample, channel by channel, each from its lowest bit
     * on, filling bytes from their lowest bit on; zeros fill up the last byte. */
    const uint8_t *packed;
    size_t packed_bytes;
} eb_stream_samples_request;

static inline bool eb_stream_samples_request_read(eb_stream_samples_request *to, const uint8_t *payload, size_t size)
{
    if (size < 11u) {
        return false;
    }
    to->first = eb_get_u32(payload + 0);
    to->decided = eb_get_u32(payload + 4);
    to->count = eb_get_u16(payload + 8);
    to->bits = eb_get_u8(payload + 10);
    to->packed = payload + 11;
    to->packed_bytes = size - 11u;
    return true;
}

#define EB_STREAM_SAMPLES_ANSWER_BYTES 8u

typedef struct {
    /* Number of the sample that the device wants next. [samples] */
    uint32_t next;
    /* Decisions made in this stream. */
    uint32_t decisions;
} eb_stream_samples_answer;

static inline size_t eb_stream_samples_answer_write(const eb_stream_samples_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->next);
    eb_put_u32(payload + 4, from->decisions);
    return 8u;
}

/* stream_recall. Asks again for a decision that has not arrived. The answer is as the event
 * `decision`. */
#define EB_KIND_STREAM_RECALL 0x22u

typedef struct {
    /* Which decision, counted from the stream's start. */
    uint32_t index;
} eb_stream_recall_request;

static inline bool eb_stream_recall_request_read(eb_stream_recall_request *to, const uint8_t *payload, size_t size)
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
    /* Samples taken. [samples] */
    uint32_t samples;
    /* Decisions made. */
    uint32_t decisions;
    /* Gaps in this stream. */
    uint32_t gaps;
} eb_stream_stop_answer;

static inline size_t eb_stream_stop_answer_write(const eb_stream_stop_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->samples);
    eb_put_u32(payload + 4, from->decisions);
    eb_put_u32(payload + 8, from->gaps);
    return 12u;
}

/* stream_now. What is decided now, stream or none. The answer is as the event `rest`. */
#define EB_KIND_STREAM_NOW 0x24u

/* trace_begin. From here on what layers or stages of the front end make comes as events `trace`,
 * in the uploads and runs that follow. Only images built for it know this request (edgebio build
 * --hil). */
#define EB_KIND_TRACE_BEGIN 0x30u

typedef struct {
    /* Layers or stages. */
    uint8_t what;
    /* 1: all that they make; 0: its size and CRC-32 (both u32), of a stage at the end. */
    uint8_t data;
    /* First layer, or first stage by its number in eb_frontend.h. */
    uint16_t first;
    /* Last one. */
    uint16_t last;
} eb_trace_begin_request;

static inline bool eb_trace_begin_request_read(eb_trace_begin_request *to, const uint8_t *payload, size_t size)
{
    if (size != 6u) {
        return false;
    }
    to->what = eb_get_u8(payload + 0);
    to->data = eb_get_u8(payload + 1);
    to->first = eb_get_u16(payload + 2);
    to->last = eb_get_u16(payload + 4);
    return true;
}

/* trace_end. Ends the trace. */
#define EB_KIND_TRACE_END 0x31u

#define EB_TRACE_END_ANSWER_BYTES 8u

typedef struct {
    /* Events `trace` since its beginning. */
    uint32_t events;
    /* Bytes in their records, without the records' heads. [bytes] */
    uint32_t bytes;
} eb_trace_end_answer;

static inline size_t eb_trace_end_answer_write(const eb_trace_end_answer *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->events);
    eb_put_u32(payload + 4, from->bytes);
    return 8u;
}

/* decision. The device has decided. It keeps the decision until a stream_samples says that the
 * host has it. */
#define EB_KIND_DECISION 0x60u

#define EB_DECISION_EVENT_BYTES 37u /* and logits */

typedef struct {
    /* Which decision, counted from the stream's start. */
    uint32_t index;
    /* Sample at which the front end last began anew. [samples] */
    uint32_t origin;
    /* One past the window's last sample. [samples] */
    uint32_t end;
    /* Device time of the decision. [us] */
    uint32_t time;
    /* Time that the front end took since the decision before. [us] */
    uint32_t frontend_us;
    /* Time that the network and the decision took. [us] */
    uint32_t compute_us;
    /* CRC-32 of the image. */
    uint32_t image_crc;
    /* Mean absolute difference from one sample to the next, over all channels, since the
     * decision before. [1/16 count] */
    uint32_t activity;
    /* How often, in this stream, the votes had begun anew, after a gap or a time-out. */
    uint16_t anew;
    /* Class of this window, rest or rejected. */
    uint8_t winner;
    /* Class after the vote, rest or rejected. */
    uint8_t decision;
    /* Why. */
    uint8_t reason;
    /* The network's output, one int8 a class. */
    const uint8_t *logits;
    size_t logits_bytes;
} eb_decision_event;

static inline size_t eb_decision_event_write(const eb_decision_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->index);
    eb_put_u32(payload + 4, from->origin);
    eb_put_u32(payload + 8, from->end);
    eb_put_u32(payload + 12, from->time);
    eb_put_u32(payload + 16, from->frontend_us);
    eb_put_u32(payload + 20, from->compute_us);
    eb_put_u32(payload + 24, from->image_crc);
    eb_put_u32(payload + 28, from->activity);
    eb_put_u16(payload + 32, from->anew);
    eb_put_u8(payload + 34, from->winner);
    eb_put_u8(payload + 35, from->decision);
    eb_put_u8(payload + 36, from->reason);
    memcpy(payload + 37, from->logits, from->logits_bytes);
    return 37u + from->logits_bytes;
}

/* gap. Streamed samples did not follow on. */
#define EB_KIND_GAP 0x61u

#define EB_GAP_EVENT_BYTES 8u

typedef struct {
    /* Sample that the device wanted. [samples] */
    uint32_t expected;
    /* Sample that came. [samples] */
    uint32_t received;
} eb_gap_event;

static inline size_t eb_gap_event_write(const eb_gap_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->expected);
    eb_put_u32(payload + 4, from->received);
    return 8u;
}

/* rest. The decision is rest without a window that says so, and stays so until the next window
 * is decided. Said again after every time-out that it lasts. It is not kept: stream_now tells at
 * any time. */
#define EB_KIND_REST 0x62u

#define EB_REST_EVENT_BYTES 10u

typedef struct {
    /* Device time. [us] */
    uint32_t time;
    /* Sample that the device wants next. [samples] */
    uint32_t sample;
    /* The class that is rest, or rest. */
    uint8_t decision;
    /* Why. */
    uint8_t reason;
} eb_rest_event;

static inline size_t eb_rest_event_write(const eb_rest_event *from, uint8_t *payload)
{
    eb_put_u32(payload + 0, from->time);
    eb_put_u32(payload + 4, from->sample);
    eb_put_u8(payload + 8, from->decision);
    eb_put_u8(payload + 9, from->reason);
    return 10u;
}

/* trace. What layers or stages made. A record is what (u8), index (u16), part (u16: a stage's
 * channel, else 0), length (u16), then so many bytes. Records of one index and part follow on. */
#define EB_KIND_TRACE 0x63u

#define EB_TRACE_EVENT_BYTES 4u /* and records */

typedef struct {
    /* Which event of the trace. */
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

/* error. Answers a request that was not carried out. Nothing has changed on the device. */
#define EB_KIND_ERROR 0xFFu

#define EB_ERROR_EVENT_BYTES 5u

typedef struct {
    /* Why. */
    uint8_t code;
    /* A number that goes with the code. */
    uint32_t detail;
} eb_error_event;

static inline size_t eb_error_event_write(const eb_error_event *from, uint8_t *payload)
{
    eb_put_u8(payload + 0, from->code);
    eb_put_u32(payload + 1, from->detail);
    return 5u;
}

#endif
