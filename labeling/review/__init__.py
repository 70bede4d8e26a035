"""The review page: a person looks at clips, and says what is right.

clip        a clip as it is reviewed, in memory and as JSON
operations  what a person can do to clips, as pure functions: some clips in, others out
journal     every decision, a line each: what the page has said is saved
shelf       the labeled segments on disk, and how clips get there
desk        the clips, the journal and the shelf together, for several windows at once
rows        keys and frames of single clips, read without reading whole recordings
audit       how right labels are: a draw, verdicts, an interval
web, guard  the page's addresses, and who may ask for them
"""
