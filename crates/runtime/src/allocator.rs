//! The allocator of every program of ours.
//!
//! A service makes and drops many small things on several threads; with the allocator of the C
//! library a fifth of its processor time went there.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
