"""Teaching a vision-language model to name the goals of clips, from clips that are named already."""
