//! Numbers that nobody can guess, from the kernel. `None` where it gives none: the caller refuses.

/// 128 random bits.
pub fn u128() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_ne_bytes(bytes))
}

/// 32 random bits.
pub fn u32() -> Option<u32> {
    getrandom::u32().ok()
}
