// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_trace_link.h"

#include <stdbool.h>
#include <string.h>

#include "frontend_config.h"
#include "eb_stream.h"

#define ROOM (EB_LINK_SEND_PAYLOAD - EB_TRACE_EVENT_BYTES)

static struct {
    eb_server *server;
    bool on;
    bool data; /* complete outputs; otherwise checksums */
    uint8_t source;
    uint16_t first, last;
    uint32_t events;
    uint32_t bytes; /* of records */
    size_t fill;
    uint8_t records[ROOM];
} trace;

#if EB_HAS_FRONTEND
static struct {
    uint32_t size, crc;
} checksums[EB_STAGES][EB_FRONTEND_CHANNELS];
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

/* Splits long outputs into several records of the same index and part. */
static void record(uint32_t index, uint32_t part, const uint8_t *data, size_t bytes)
{
    trace.bytes += (uint32_t)bytes;
    while (bytes != 0) {
        if (ROOM - trace.fill <= EB_TRACE_RECORD_BYTES) {
            flush();
        }
        const size_t room = ROOM - trace.fill - EB_TRACE_RECORD_BYTES;
        const size_t taken = bytes < room ? bytes : room;
        uint8_t *at = trace.records + trace.fill;
        const eb_trace_record header = {.source = trace.source,
                                        .index = (uint16_t)index,
                                        .part = (uint16_t)part,
                                        .length = (uint16_t)taken};
        memcpy(at + eb_trace_record_write(&header, at), data, taken);
        trace.fill += EB_TRACE_RECORD_BYTES + taken;
        data += taken;
        bytes -= taken;
    }
}

static void record_checksum(uint32_t index, uint32_t part, uint32_t size, uint32_t crc)
{
    const eb_trace_checksum checksum = {.size = size, .crc = crc};
    uint8_t written[EB_TRACE_CHECKSUM_BYTES];

    record(index, part, written, eb_trace_checksum_write(&checksum, written));
}

static bool wanted(uint8_t source, uint32_t index)
{
    return trace.on && trace.source == source && index >= trace.first && index <= trace.last;
}

void eb_trace_layer_done(uint32_t layer, const void *data, size_t bytes)
{
    if (!wanted(EB_TRACE_SOURCE_LAYERS, layer)) {
        return;
    }
    if (trace.data) {
        record(layer, 0, data, bytes);
    } else {
        record_checksum(layer, 0, (uint32_t)bytes, eb_crc32(0, data, bytes));
    }
}

#if EB_HAS_FRONTEND
bool eb_frontend_traces(int stage)
{
    return wanted(EB_TRACE_SOURCE_STAGES, (uint32_t)stage);
}

void eb_frontend_trace(int stage, uint32_t channel, const void *data, size_t bytes)
{
    if (trace.data) {
        record((uint32_t)stage, channel, data, bytes);
    } else {
        checksums[stage][channel].size += (uint32_t)bytes;
        checksums[stage][channel].crc = eb_crc32(checksums[stage][channel].crc, data, bytes);
    }
}
#endif

uint8_t eb_trace_begin(const eb_request *request, eb_answer *answer)
{
    eb_trace_begin_request begin;

    answer->detail = (uint32_t)request->payload_bytes;
    if (!eb_trace_begin_request_read(&begin, request->payload, request->payload_bytes) ||
        begin.source > EB_TRACE_SOURCE_STAGES || begin.data > 1) {
        return EB_ERROR_PAYLOAD;
    }
    if (eb_stream_open()) {
        return EB_ERROR_STREAMING;
    }
#if EB_HAS_FRONTEND
    memset(checksums, 0, sizeof checksums);
#else
    if (begin.source == EB_TRACE_SOURCE_STAGES) {
        return EB_ERROR_FRONTEND;
    }
#endif
    trace.on = true;
    trace.source = begin.source;
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
    if (trace.source == EB_TRACE_SOURCE_STAGES && !trace.data) {
        for (uint32_t stage = trace.first; stage <= trace.last && stage < EB_STAGES; stage++) {
            for (uint32_t channel = 0; channel < EB_FRONTEND_CHANNELS; channel++) {
                record_checksum(stage, channel, checksums[stage][channel].size,
                                checksums[stage][channel].crc);
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
