"""Float networks to int8 .tflite, and what the rounding costs layer by layer."""
