// SPDX-License-Identifier: Apache-2.0
/* The link protocol in a firmware of one's own: a device that answers `ping` and `identify`.
 *
 * Three files of edgebio are needed: eb_link.c, eb_server.c and eb_messages.h. The firmware supplies
 * the four functions below: write bytes to its UART, tell the time, end what an earlier session
 * began, and handle a request. Here standard input and output are the UART, so the program runs on
 * the host; on a board, replace read, write and clock_gettime by the port's own. */

#include <time.h>
#include <unistd.h>

#include "eb_server.h"

static eb_server server;

void eb_link_write(const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written <= 0) {
            return;
        }
        bytes += written;
        count -= (size_t)written;
    }
}

uint32_t eb_server_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)(now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void eb_server_opened(void)
{
    /* A new session has begun: stop whatever the one before it started. */
}

uint8_t eb_server_handle(const eb_request *request, eb_answer *answer)
{
    if (request->kind != EB_KIND_IDENTIFY) {
        answer->detail = request->kind;
        return EB_ERROR_REQUEST;
    }
    const eb_identify_answer identity = {
        .board = "my-own-board",
        .cpu = "host",
        .clock_hz = 0,
        .build = {0},
        .receive_bytes = 4096,
        .payload_bytes = EB_LINK_RECEIVE_PAYLOAD,
    };
    answer->payload_bytes = eb_identify_answer_write(&identity, answer->payload);
    return 0;
}

int main(void)
{
    uint8_t bytes[256];

    eb_server_reset(&server);
    for (;;) {
        const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
        if (count <= 0) {
            return 0;
        }
        for (ssize_t i = 0; i < count; i++) {
            eb_server_push(&server, bytes[i]);
        }
    }
}
