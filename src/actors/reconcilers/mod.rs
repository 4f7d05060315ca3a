//! Each compares what is with what should be and mends the difference, on a timer and a nudge.
//! A pass takes no input, so a lost nudge or a death half-way costs time and nothing else.
