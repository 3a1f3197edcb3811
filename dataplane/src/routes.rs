//! Which connection a completion of the ring is for. A client's leg belongs to its slot; a target's leg passes from one
//! connection to another while the kernel keeps the number that it was opened by. Lives on its shard's core.

use wire::Side;

use crate::ring::Owner;

/// The number of the client's leg of the connection in `slot`.
pub const fn client(slot: u32) -> Owner {
    (slot as u64) << 1
}

/// Where the legs to targets belong.
#[derive(Default)]
pub struct Routes {
    slots: Vec<u32>,
    free: Vec<u32>,
}

impl Routes {
    /// A number for a new leg of the connection in `slot`.
    pub fn open(&mut self, slot: u32) -> Owner {
        let route = match self.free.pop() {
            Some(route) => {
                if let Some(place) = self.slots.get_mut(route as usize) {
                    *place = slot;
                }
                route
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        u64::from(route) << 1 | 1
    }

    /// The leg belongs to the connection in `slot` from here on.
    pub fn lead(&mut self, owner: Owner, slot: u32) {
        if let Some(place) = self.slots.get_mut((owner >> 1) as usize) {
            *place = slot;
        }
    }

    /// The kernel refers to the leg no more, and it is gone.
    pub fn close(&mut self, owner: Owner) {
        self.free.push((owner >> 1) as u32);
    }

    /// The slot and side of a leg.
    pub fn find(&self, owner: Owner) -> (u32, Side) {
        if owner & 1 == 0 {
            return ((owner >> 1) as u32, Side::Client);
        }
        (self.slots.get((owner >> 1) as usize).copied().unwrap_or(u32::MAX), Side::Server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_found_where_it_was_led() {
        let mut routes = Routes::default();
        let (a, b) = (routes.open(7), routes.open(8));
        assert_eq!((routes.find(a), routes.find(b)), ((7, Side::Server), (8, Side::Server)));
        assert_eq!(routes.find(client(7)), (7, Side::Client));
        routes.lead(a, 9);
        assert_eq!(routes.find(a), (9, Side::Server));
        routes.close(b);
        let c = routes.open(1);
        assert_eq!((c, routes.find(c)), (b, (1, Side::Server)));
        assert_eq!(routes.find(99), (u32::MAX, Side::Server));
    }
}
