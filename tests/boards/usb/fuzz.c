// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A host that sends anything: the device neither breaks the controller's interface nor loses, doubles
 * or changes a byte of the serial port, in either direction; controller.c checks those to the host.
 *
 *   fuzz ROUNDS SEED
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"

static uint64_t random_state;

static uint32_t roll(uint32_t sides)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16) % sides;
}

static const uint8_t requests[][8] = {
    {0x80, 6, 0, 1, 0, 0, 64, 0},   {0x80, 6, 0, 2, 0, 0, 255, 0},  {0x80, 6, 2, 3, 9, 4, 255, 0},
    {0x80, 6, 0, 6, 0, 0, 10, 0},   {0x00, 5, 9, 0, 0, 0, 0, 0},    {0x00, 9, 1, 0, 0, 0, 0, 0},
    {0x00, 9, 0, 0, 0, 0, 0, 0},    {0x80, 8, 0, 0, 0, 0, 1, 0},    {0x80, 0, 0, 0, 0, 0, 2, 0},
    {0x81, 0, 0, 0, 1, 0, 2, 0},    {0x82, 0, 0, 0, 0x82, 0, 2, 0}, {0x02, 1, 0, 0, 0x82, 0, 0, 0},
    {0x02, 3, 0, 0, 0x82, 0, 0, 0}, {0x02, 1, 0, 0, 2, 0, 0, 0},    {0x02, 3, 0, 0, 2, 0, 0, 0},
    {0x01, 11, 0, 0, 1, 0, 0, 0},   {0x81, 10, 0, 0, 1, 0, 1, 0},   {0x21, 0x20, 0, 0, 0, 0, 7, 0},
    {0xA1, 0x21, 0, 0, 0, 0, 7, 0}, {0x21, 0x22, 1, 0, 0, 0, 0, 0}, {0x21, 0x22, 0, 0, 0, 0, 0, 0},
    {0x21, 0x23, 0, 0, 0, 0, 0, 0},
};

static void control(void)
{
    uint8_t setup[8];

    memcpy(setup, requests[roll(sizeof requests / sizeof requests[0])], 8);
    while (roll(3) == 0) {
        setup[roll(8)] = (uint8_t)roll(256);
    }
    host_setup(setup);
    uint8_t packet[EB_USB_PACKET_BYTES];
    for (uint32_t turns = roll(8); turns; turns--) { /* the host may leave at any stage */
        for (size_t i = 0; i < sizeof packet; i++) {
            packet[i] = (uint8_t)roll(256);
        }
        if (roll(2)) {
            (void)host_in(0x80, packet);
        } else {
            (void)host_out(0, packet, roll(4) ? 7 : roll(65));
        }
    }
}

int main(int count, char **arguments)
{
    if (count != 3) {
        return 2;
    }
    random_state = strtoull(arguments[2], NULL, 10) * 2654435761u + 1;
    host_start(0x1209, 0x0001, "a product with a name as long as", "0123456789ABCDEF");
    user_limit(300);
    uint32_t to_host = 0, sent = 0, accepted = 0;
    static uint8_t bytes[LOG_BYTES];
    for (unsigned long round = strtoul(arguments[1], NULL, 10); round; round--) {
        switch (roll(16)) {
        case 0:
            if (roll(50) == 0) {
                host_reset();
            }
            break;
        case 1:
        case 2:
            control();
            break;
        case 3:
            user_take(roll(400));
            break;
        case 4:
        case 5:
        case 6: {
            const uint32_t most = roll(200);
            for (uint32_t i = 0; i < most; i++) {
                bytes[i] = (uint8_t)(roll(256));
            }
            (void)user_write(bytes, most);
            break;
        }
        case 7:
        case 8:
        case 9:
        case 10: {
            const uint32_t most = roll(65);
            for (uint32_t i = 0; i < most; i++) {
                bytes[i] = (uint8_t)((sent + i) * 59u >> 2);
            }
            if (host_out(EB_USB_OUT, bytes, most) == 0) {
                sent += most;
            }
            const uint32_t arrived = (uint32_t)user_read(bytes);
            for (uint32_t i = 0; i < arrived; i++) {
                if (bytes[i] != (uint8_t)((accepted + i) * 59u >> 2)) {
                    fprintf(stderr, "broken: byte %u from the host\n", accepted + i);
                    return 1;
                }
            }
            accepted += arrived;
            if (accepted != sent) {
                fprintf(stderr, "broken: %u of %u bytes from the host\n", accepted, sent);
                return 1;
            }
            break;
        }
        default: {
            const int got = host_in(EB_USB_IN, bytes);
            to_host += got > 0 ? (unsigned)got : 0;
        }
        }
    }
    printf("%u bytes to the host, %u from it\n", to_host, accepted);
    return 0;
}
