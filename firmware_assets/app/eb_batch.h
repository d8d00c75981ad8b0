/* Hooks of the batch application, included before every source of a traced build. */
#ifndef EB_BATCH_H
#define EB_BATCH_H

#include <stddef.h>
#include <stdint.h>

void eb_batch_layer_done(uint32_t layer, const void *data, size_t bytes);

#define EB_MODEL_LAYER_DONE(layer, data, bytes) eb_batch_layer_done((layer), (data), (bytes))
#define EB_FRONTEND_TRACED 1

#endif
