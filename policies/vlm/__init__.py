"""The vision-language policy: one prompt, exact decoding in one or two forward passes."""
