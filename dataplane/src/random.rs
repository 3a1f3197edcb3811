//! Numbers that nobody can guess, from the kernel. `None` where it gives none: the caller refuses.

/// 128 random bits.
pub fn u128() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_ne_bytes(bytes))
}

/// A session's number and the secret of its cancel key, by one call of the kernel.
pub fn session() -> Option<(u128, u32)> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).ok()?;
    let (id, secret) = bytes.split_first_chunk::<16>()?;
    Some((u128::from_ne_bytes(*id), u32::from_ne_bytes(*secret.first_chunk::<4>()?)))
}

/// Bytes that one connection alone has.
pub fn nonce() -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
