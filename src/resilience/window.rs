//! Counts of what happened lately, in twenty slices of a span of time, so that memory is the same however much happens.
//!
//! It decides nothing. What is older than the span is not counted any more; the oldest slice leaves as a whole, so the span
//! is kept to within a twentieth.

use std::time::Duration;

use tokio::time::Instant;

/// How many slices a window has.
const SLICES: u64 = 20;

/// Counts of `N` kinds over the last span.
#[derive(Debug)]
pub(super) struct Window<const N: usize> {
    begun: Instant,
    slice: Duration,
    slices: [Slice<N>; SLICES as usize],
}

/// What happened in one slice, by the number of the slice since the window was made.
#[derive(Debug, Clone, Copy)]
struct Slice<const N: usize> {
    number: u64,
    counts: [u32; N],
}

impl<const N: usize> Window<N> {
    /// Over that span, with nothing counted yet.
    pub(super) fn new(span: Duration) -> Self {
        let slice = (span / 20).max(Duration::from_millis(1));
        Self { begun: Instant::now(), slice, slices: [Slice { number: 0, counts: [0; N] }; SLICES as usize] }
    }

    /// Counts one of each kind that is given.
    pub(super) fn count(&mut self, kinds: [bool; N]) {
        let number = self.now();
        let place = usize::try_from(number % SLICES).unwrap_or_default();
        let Some(slice) = self.slices.get_mut(place) else { return };
        if slice.number != number {
            *slice = Slice { number, counts: [0; N] };
        }
        for (count, kind) in slice.counts.iter_mut().zip(kinds) {
            *count = count.saturating_add(u32::from(kind));
        }
    }

    /// How many of each kind there were in the last span.
    pub(super) fn sums(&self) -> [u32; N] {
        let now = self.now();
        let mut sums = [0_u32; N];
        for slice in self.slices.iter().filter(|slice| slice.number + SLICES > now) {
            for (sum, count) in sums.iter_mut().zip(slice.counts) {
                *sum = sum.saturating_add(count);
            }
        }
        sums
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        for slice in &mut self.slices {
            slice.counts = [0; N];
        }
    }

    fn now(&self) -> u64 {
        let slices = self.begun.elapsed().as_nanos() / self.slice.as_nanos().max(1);
        u64::try_from(slices).unwrap_or(u64::MAX - SLICES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_span_is_forgotten_slice_by_slice() {
        let mut window = Window::<2>::new(Duration::from_secs(10));
        window.count([true, false]);
        tokio::time::advance(Duration::from_millis(500)).await;
        window.count([true, true]);
        assert_eq!(window.sums(), [2, 1]);
        tokio::time::advance(Duration::from_millis(9_499)).await;
        assert_eq!(window.sums(), [2, 1]);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(window.sums(), [1, 1]);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(window.sums(), [0, 0]);
        window.count([true, true]);
        window.clear();
        assert_eq!(window.sums(), [0, 0]);
    }
}
