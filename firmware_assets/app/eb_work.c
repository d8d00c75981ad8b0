#include "eb_work.h"

#include "eb_messages.h"

eb_work_memory eb_work;

#if EB_HAS_FRONTEND
_Static_assert(EB_FRONTEND_IMAGE_BYTES == EB_MODEL_INPUT_BYTES,
               "the front end makes the images that the network takes");

bool eb_work_push(const uint8_t *sample)
{
    int16_t values[EB_FRONTEND_CHANNELS];

    for (size_t i = 0; i < EB_FRONTEND_CHANNELS; i++) {
        values[i] = (int16_t)eb_get_u16(sample + 2u * i);
    }
    return eb_frontend_push(&eb_frontend_settings, eb_work.frontend, values);
}
#endif
