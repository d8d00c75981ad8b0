/* Any bytes whatever into the firmware: its parser, and through its server the whole application.
 *
 * An entry as libFuzzer calls it. The first byte chooses: even, the rest is what comes over the
 * line; odd, it is requests (kind, length as uint16, payload), which get good frames, so that what
 * lies behind the CRC is reached. This file is the application's port as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eb_messages.h"
#include "eb_server.h"
#include "eb_stream.h"
#include "port.h"

#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "broken: %s\n", #what);                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static eb_parser said; /* the host's ear: what the device says are good frames */
static uint32_t micros;
static eb_server server;
static uint8_t made[2 * EB_LINK_FRAME_BYTES(EB_LINK_RECEIVE_PAYLOAD)];
static size_t made_bytes;
static bool making;

void port_write(const uint8_t *bytes, size_t count)
{
    if (making) {
        MUST(made_bytes + count <= sizeof made);
        memcpy(made + made_bytes, bytes, count);
        made_bytes += count;
        return;
    }
    eb_frame frame;
    for (size_t i = 0; i < count; i++) {
        (void)eb_parser_push(&said, bytes[i], &frame);
    }
    MUST(said.damaged == 0);
}

uint32_t port_micros(void)
{
    micros += 17;
    return micros;
}

void port_init(void) {}
void port_idle(void) {}
size_t port_read(uint8_t *bytes, size_t most)
{
    (void)bytes;
    (void)most;
    return 0;
}
uint32_t port_rx_overruns(void)
{
    return 0;
}
_Noreturn void port_reset(void)
{
    abort();
}
size_t port_image(const uint8_t **image)
{
    *image = made;
    return sizeof made;
}
uint32_t port_stack_used(void)
{
    return 0;
}
uint32_t port_stack_size(void)
{
    return 0;
}
void port_watchdog_feed(void) {}
port_start port_start_cause(void)
{
    return PORT_START_WATCHDOG;
}
const port_fault *port_last_fault(void)
{
    return NULL;
}

/* The line of a frame, in `made`. */
static void make(uint8_t kind, uint16_t sequence, const uint8_t *payload, size_t bytes)
{
    static uint8_t raw[EB_LINK_FRAME_BYTES(EB_LINK_RECEIVE_PAYLOAD)];
    MUST(bytes <= EB_LINK_RECEIVE_PAYLOAD);
    memcpy(raw + EB_FRAME_HEADER_BYTES, payload, bytes);
    making = true;
    made_bytes = 0;
    eb_link_send(raw, eb_link_seal(raw, kind, sequence, bytes));
    making = false;
}

static void ask(uint8_t kind, uint16_t sequence, const uint8_t *payload, size_t bytes)
{
    make(kind, sequence, payload, bytes);
    for (size_t i = 0; i < made_bytes; i++) {
        eb_server_push(&server, made[i]);
    }
}

/* Whatever came before, the next frame is accepted, and as it was sent. */
static void parse(const uint8_t *data, size_t size)
{
    static const uint8_t payload[] = {0, 1, 0, 0, 255};
    eb_parser *parser = malloc(sizeof *parser); /* where the sanitizer guards its end */
    eb_frame frame = {0};

    MUST(parser);
    eb_parser_reset(parser);
    for (size_t i = 0; i < size; i++) {
        if (eb_parser_push(parser, data[i], &frame)) {
            MUST(frame.payload_bytes <= EB_LINK_RECEIVE_PAYLOAD);
            const uint8_t *copy = frame.payload;
            MUST(eb_crc32(0, copy - EB_FRAME_HEADER_BYTES,
                          frame.payload_bytes + EB_FRAME_HEADER_BYTES) == frame.crc);
        }
    }
    make(0x42, 0xABCD, payload, sizeof payload);
    bool good = false;
    for (size_t i = 0; i < made_bytes; i++) {
        good = eb_parser_push(parser, made[i], &frame);
    }
    MUST(good && frame.kind == 0x42 && frame.sequence == 0xABCD);
    MUST(frame.payload_bytes == sizeof payload);
    MUST(memcmp(frame.payload, payload, sizeof payload) == 0);
    free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t session;
    uint8_t number[5] = {0, 0, 0, 0, 1}; /* and that it opens */

    if (size == 0) {
        return 0;
    }
    eb_parser_reset(&said);
    eb_server_reset(&server);
    eb_stream_init(&server);
    eb_put_u32(number, ++session ? session : ++session);
    ask(EB_KIND_PING, 0, number, sizeof number);
    MUST(said.frames == 1);
    const uint8_t mode = *data++;
    size--;
    if (mode % 2u == 0) {
        parse(data, size);
        for (size_t i = 0; i < size; i++) {
            eb_server_push(&server, data[i]);
        }
        return 0;
    }
    uint16_t sequence = 0;
    while (size >= 3) {
        const uint8_t kind = data[0];
        size_t bytes = eb_get_u16(data + 1) % (EB_LINK_RECEIVE_PAYLOAD + 1u);
        data += 3;
        size -= 3;
        bytes = bytes < size ? bytes : size;
        const uint32_t before = said.frames;
        ask(kind, ++sequence, data, bytes);
        eb_stream_look();
        MUST(said.frames > before); /* no request stays without an answer */
        data += bytes;
        size -= bytes;
    }
    return 0;
}
