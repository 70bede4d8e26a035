"""Trains the vision-language policy: LoRA on a published model, or a small one from scratch."""
