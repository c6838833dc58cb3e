//! No setting is ignored: each acts, or is refused with the reason. The keys of `[data]` are walked over all sources
//! in the data room; here are the others, and how the terminal and the window change and refuse them.

mod terminal;
mod training;
mod window;
