#include "eb_trace_link.h"

#include <stdbool.h>
#include <string.h>

#include "frontend_config.h"
#include "eb_stream.h"

/* A record: what (uint8), index, part, length (uint16), then so many bytes. */
#define RECORD_HEAD 7u
#define ROOM (EB_LINK_SEND_PAYLOAD - EB_TRACE_EVENT_BYTES)

static struct {
    eb_server *server;
    bool on;
    bool data; /* else sizes and CRCs */
    uint8_t what;
    uint16_t first, last;
    uint32_t events;
    uint32_t bytes; /* of records */
    size_t fill;
    uint8_t records[ROOM];
} trace;

#if EB_HAS_FRONTEND
static struct {
    uint32_t size, crc;
} sums[EB_STAGES][EB_FRONTEND_CHANNELS];
#endif

void eb_trace_init(eb_server *server)
{
    trace.server = server;
    trace.on = false;
}

void eb_trace_forget(void)
{
    trace.on = false;
}

static void flush(void)
{
    if (trace.fill == 0) {
        return;
    }
    const eb_trace_event event = {
        .number = trace.events, .records = trace.records, .records_bytes = trace.fill};
    const size_t bytes = eb_trace_event_write(&event, eb_server_event(trace.server));
    eb_server_send_event(trace.server, EB_KIND_TRACE, bytes);
    trace.events++;
    trace.fill = 0;
}

/* Long ones are cut, and belong together by their index and part. */
static void record(uint32_t index, uint32_t part, const uint8_t *data, size_t bytes)
{
    trace.bytes += (uint32_t)bytes;
    while (bytes != 0) {
        if (ROOM - trace.fill <= RECORD_HEAD) {
            flush();
        }
        const size_t room = ROOM - trace.fill - RECORD_HEAD;
        const size_t taken = bytes < room ? bytes : room;
        uint8_t *at = trace.records + trace.fill;
        eb_put_u8(at, trace.what);
        eb_put_u16(at + 1, (uint16_t)index);
        eb_put_u16(at + 3, (uint16_t)part);
        eb_put_u16(at + 5, (uint16_t)taken);
        memcpy(at + RECORD_HEAD, data, taken);
        trace.fill += RECORD_HEAD + taken;
        data += taken;
        bytes -= taken;
    }
}

static void record_sum(uint32_t index, uint32_t part, uint32_t size, uint32_t crc)
{
    uint8_t sum[8];

    eb_put_u32(sum, size);
    eb_put_u32(sum + 4, crc);
    record(index, part, sum, sizeof sum);
}

static bool wanted(uint8_t what, uint32_t index)
{
    return trace.on && trace.what == what && index >= trace.first && index <= trace.last;
}

void eb_trace_layer_done(uint32_t layer, const void *data, size_t bytes)
{
    if (!wanted(EB_TRACED_LAYERS, layer)) {
        return;
    }
    if (trace.data) {
        record(layer, 0, data, bytes);
    } else {
        record_sum(layer, 0, (uint32_t)bytes, eb_crc32(0, data, bytes));
    }
}

#if EB_HAS_FRONTEND
bool eb_frontend_traces(int stage)
{
    return wanted(EB_TRACED_STAGES, (uint32_t)stage);
}

void eb_frontend_trace(int stage, uint32_t channel, const void *data, size_t bytes)
{
    if (trace.data) {
        record((uint32_t)stage, channel, data, bytes);
    } else {
        sums[stage][channel].size += (uint32_t)bytes;
        sums[stage][channel].crc = eb_crc32(sums[stage][channel].crc, data, bytes);
    }
}
#endif

uint8_t eb_trace_begin(const eb_request *request, eb_answer *answer)
{
    eb_trace_begin_request begin;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_trace_begin_request_read(&begin, request->payload, request->payload_bytes) ||
        begin.what > EB_TRACED_STAGES || begin.data > 1) {
        return EB_ERROR_PAYLOAD;
    }
    if (eb_stream_open()) {
        return EB_ERROR_STREAMING;
    }
#if EB_HAS_FRONTEND
    memset(sums, 0, sizeof sums);
#else
    if (begin.what == EB_TRACED_STAGES) {
        return EB_ERROR_FRONTEND;
    }
#endif
    trace.on = true;
    trace.what = begin.what;
    trace.data = begin.data != 0;
    trace.first = begin.first;
    trace.last = begin.last;
    trace.events = 0;
    trace.bytes = 0;
    trace.fill = 0;
    return 0;
}

uint8_t eb_trace_end(eb_answer *answer)
{
    if (!trace.on) {
        return EB_ERROR_IDLE;
    }
#if EB_HAS_FRONTEND
    if (trace.what == EB_TRACED_STAGES && !trace.data) {
        for (uint32_t stage = trace.first; stage <= trace.last && stage < EB_STAGES; stage++) {
            for (uint32_t channel = 0; channel < EB_FRONTEND_CHANNELS; channel++) {
                record_sum(stage, channel, sums[stage][channel].size, sums[stage][channel].crc);
            }
        }
    }
#endif
    flush();
    trace.on = false;
    const eb_trace_end_answer written = {.events = trace.events, .bytes = trace.bytes};
    answer->payload_bytes = eb_trace_end_answer_write(&written, answer->payload);
    return 0;
}
