//! Wakes one waiting future from any thread. The queue it speaks of is the caller's: ring after pushing, and look
//! into the queue after listening.

use std::sync::Arc;
use std::task::Context;

use atomic_waker::AtomicWaker;

/// Clones ring the same bell. One future at a time listens.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<AtomicWaker>);

impl Bell {
    /// Wakes the listener. Cheap where nobody listens.
    pub(super) fn ring(&self) {
        self.0.wake();
    }

    /// Wakes this task at the next ring.
    pub(super) fn listen(&self, context: &Context<'_>) {
        self.0.register(context.waker());
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use crossbeam::channel::{bounded, unbounded};
    use glommio::{LocalExecutorBuilder, Placement};

    use super::*;

    /// A task parked in glommio wakes for each message of a plain thread: a lost one would hang the test.
    #[test]
    fn a_parked_executor_wakes_for_another_thread() {
        let bell = Bell::default();
        let (messages, inbox) = unbounded::<u32>();
        let (answers, answered) = bounded::<u32>(1);
        let listener = bell.clone();
        let executor = LocalExecutorBuilder::new(Placement::Unbound)
            .spawn(move || async move {
                loop {
                    let number = poll_fn(|context| {
                        listener.listen(context);
                        inbox.try_recv().map_or(Poll::Pending, Poll::Ready)
                    })
                    .await;
                    answers.send(number).unwrap();
                    if number == 0 {
                        break;
                    }
                }
            })
            .unwrap();
        for number in (0..2000).rev() {
            messages.send(number).unwrap();
            bell.ring();
            assert_eq!(answered.recv(), Ok(number));
        }
        executor.join().unwrap();
        // Nobody listens any more.
        bell.ring();
    }
}
