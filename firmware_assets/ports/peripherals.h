// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Interface between sources and sinks and the peripherals of a chip. A port implements the parts
 * that its boards offer, each in a file of its own; pins, channels and timers come from eb_board.h. No
 * interrupt here may delay that of the UART.
 */
#ifndef EB_PERIPHERALS_H
#define EB_PERIPHERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Converter of the chip (adc.c): samples EB_ADC_CHANNELS pins at EB_SOURCE_RATE_MILLIHZ by a timer and
 * DMA into `ring`, `frames` x EB_ADC_CHANNELS raw values, over and over. `frames` is even.
 * Returns port_micros at the trigger of frame 0. */
uint32_t port_adc_start(uint16_t *ring, uint32_t frames);
void port_adc_stop(void);

/* Complete frames since the start, modulo 2^32. Exact, with the DMA's own counter; never behind by
 * more than what arrived during the call. */
uint32_t port_adc_frames(void);

/* Whether a conversion was lost since the start: the order of channels is broken, restart. */
bool port_adc_failed(void);

/* SPI to an external converter (spi.c): mode 1, most significant bit first, at most EB_SPI_HZ. The
 * converter's output and its data-ready pin are pulled up: without a converter they read as ones. */
void port_spi_start(void);

/* Selects the converter, or ends it. Its own times before and after are the source's. */
void port_spi_select(bool on);

/* Exchanges `count` bytes, and returns when they are through; `out` NULL sends zeros. */
void port_spi_exchange(const uint8_t *out, uint8_t *in, size_t count);

/* Switches the interrupt at the falling edge of the data-ready pin on or off, and forgets earlier edges.
 * It calls eb_source_ready; its priority is below those of the UART and the time base. */
void port_spi_watch_ready(bool on);
void eb_source_ready(void);

/* Whether an edge has come since eb_source_ready was called. */
bool port_spi_ready_again(void);

/* Pulses of EB_SERVOS servos every 20 ms (servo.c), 0 us: none. Writes registers only. */
void port_servo_start(void);
void port_servo_pulse(uint32_t servo, uint32_t micros);

/* Output pins (pins.c), low after the start. Writes registers only. */
void port_pins_start(void);
void port_pins_write(uint32_t levels); /* bit i: pin i of the board's list */

#ifdef __cplusplus
}
#endif

#endif
