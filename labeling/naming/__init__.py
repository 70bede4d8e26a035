"""Goals named by a vision-language model: what it sees of a clip, how it is asked, and what it answered."""
