//! Finds where a JSON string or container ends without parsing what is in it, so that the parts of a call which no action
//! asks for cost next to nothing.
//!
//! It judges quotes, escapes and nesting, and nothing else: `[1 2}` is a container to it. It never reads past the text, and
//! it never goes deeper than it was told to.
//!
//! Blocks of 64 bytes become four bit masks (quote, backslash, opening, closing bracket). The insides of strings fall out
//! of a prefix xor, the depth out of two bit counts; single bits are looked at only in blocks in which the container could
//! end. Measured on recorded calls, in multiples of a plain loop over bytes: this with SSE2, which every x86-64 has, 8.5;
//! this with words of eight bytes 2; jumping from quote to quote with `memchr` 2; `serde_json`'s `IgnoredAny` 1.8. Masks
//! written as plain loops, left to the compiler's vectoriser, reach 0.6. The intrinsics come through the crate `safe_arch`,
//! because this crate forbids `unsafe` and the ones of `core` ask for it.

use super::lens::{Block, Lens, Native};

/// Why no end was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoEnd {
    /// The text is over before the string or container is.
    Unclosed,
    /// The bracket at this byte opens one level too many.
    TooDeep(usize),
}

/// The byte after the closing bracket of the container whose opening bracket is at `start`. `room` is how many levels it
/// may have, itself included.
pub(super) fn container(text: &[u8], start: usize, room: usize) -> Result<usize, NoEnd> {
    end_of_container::<Native>(text, start, room)
}

/// The byte after the closing quote of the string whose opening quote is at `start`, and whether it holds a backslash.
pub(super) fn string(text: &[u8], start: usize) -> Result<(usize, bool), NoEnd> {
    let mut at = start + 1;
    let mut escaped = false;
    loop {
        match text.get(at) {
            None => return Err(NoEnd::Unclosed),
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            // Long texts are rare here and words are common, so a block is tried only once a word was not enough.
            Some(_) if at - start >= 32 => {
                at += plain_run::<Native>(&text[at..]).max(1);
            }
            Some(_) => at += 1,
        }
    }
}

/// How many bytes at the beginning of `text` are neither quotes nor backslashes, counted in whole blocks but for the last.
#[inline]
fn plain_run<L: Lens>(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<64>();
    let mut run = 0;
    for block in blocks {
        let found = L::masks(block);
        let special = found.quote | found.backslash;
        if special != 0 {
            return run + special.trailing_zeros() as usize;
        }
        run += 64;
    }
    run
}

#[inline]
fn end_of_container<L: Lens>(text: &[u8], start: usize, room: usize) -> Result<usize, NoEnd> {
    let mut scan = Scan { depth: 0, room, in_string: 0, escaping: 0 };
    let (blocks, rest) = text[start..].as_chunks::<64>();
    let mut at = start;
    for block in blocks {
        if let Some(end) = scan.block::<L>(block, at) {
            return end;
        }
        at += 64;
    }
    let mut last = [b' '; 64];
    last[..rest.len()].copy_from_slice(rest);
    scan.block::<L>(&last, at).unwrap_or(Err(NoEnd::Unclosed))
}

/// What has to be known of all blocks so far.
struct Scan {
    depth: usize,
    room: usize,
    /// All ones while a string goes on across the border of two blocks, else zero.
    in_string: u64,
    /// One when the last block ended with a backslash that escapes the first byte of this one.
    escaping: u64,
}

impl Scan {
    /// The end, when it is in this block, which begins at byte `at`. Inlined by force: a call for every block costs a third of
    /// the speed.
    #[inline(always)]
    fn block<L: Lens>(&mut self, block: &Block, at: usize) -> Option<Result<usize, NoEnd>> {
        let masks = L::masks(block);
        let quote = masks.quote & !self.escaped(masks.backslash);
        let inside = prefix_xor(quote) ^ self.in_string;
        self.in_string = 0_u64.wrapping_sub(inside >> 63);
        let open = masks.open & !inside;
        let close = masks.close & !inside;
        let (opens, closes) = L::counts(open, close);
        if self.depth > closes && self.depth + opens <= self.room {
            self.depth = self.depth + opens - closes;
            return None;
        }
        self.walk(open, close, at)
    }

    /// The bytes that a backslash before them escapes.
    #[inline(always)]
    fn escaped(&mut self, backslash: u64) -> u64 {
        let mut escaped = std::mem::take(&mut self.escaping);
        let mut left = backslash & !escaped;
        while left != 0 {
            let next = (left & left.wrapping_neg()).rotate_left(1);
            if next == 1 {
                // The block's last byte: it escapes the first one of the next block.
                self.escaping = 1;
                break;
            }
            escaped |= next;
            left &= left.wrapping_sub(1) & !next;
        }
        escaped
    }

    /// Goes through the brackets of a block one by one.
    fn walk(&mut self, open: u64, close: u64, at: usize) -> Option<Result<usize, NoEnd>> {
        let mut left = open | close;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let place = at + left.trailing_zeros() as usize;
            if open & bit != 0 {
                self.depth += 1;
                if self.depth > self.room {
                    return Some(Err(NoEnd::TooDeep(place)));
                }
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(Ok(place + 1));
                }
            }
            left ^= bit;
        }
        None
    }
}

/// Every bit becomes the xor of itself and all bits below it: ones from each opening quote up to its closing quote.
#[inline(always)]
const fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rasa::lens::Portable;

    /// The same question answered byte by byte.
    fn plainly(text: &[u8], start: usize, room: usize) -> Result<usize, NoEnd> {
        let (mut depth, mut inside, mut escaped) = (0, false, false);
        for (at, byte) in text.iter().enumerate().skip(start) {
            let was_escaped = std::mem::take(&mut escaped);
            match byte {
                b'\\' => escaped = !was_escaped,
                b'"' if !was_escaped => inside = !inside,
                b'[' | b'{' if !inside => {
                    depth += 1;
                    if depth > room {
                        return Err(NoEnd::TooDeep(at));
                    }
                }
                b']' | b'}' if !inside => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(at + 1);
                    }
                }
                _ => {}
            }
        }
        Err(NoEnd::Unclosed)
    }

    fn all_ways(text: &[u8], start: usize, room: usize) -> Result<usize, NoEnd> {
        let fast = container(text, start, room);
        assert_eq!(fast, end_of_container::<Portable>(text, start, room), "{:?}", String::from_utf8_lossy(text));
        assert_eq!(fast, plainly(text, start, room), "{:?}", String::from_utf8_lossy(text));
        fast
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = br#"{"a": "]}", "b": ["\"}", "\\"], "c\\\"": {}} tail"#;
        assert_eq!(all_ways(text, 0, 9), Ok(text.len() - 5));
    }

    #[test]
    fn depth_is_bounded_exactly() {
        let text = [vec![b'['; 300], vec![b']'; 300]].concat();
        assert_eq!(all_ways(&text, 0, 300), Ok(600));
        assert_eq!(all_ways(&text, 0, 299), Err(NoEnd::TooDeep(299)));
        assert_eq!(all_ways(&text[..599], 0, 300), Err(NoEnd::Unclosed));
    }

    #[test]
    fn noise_is_read_alike_by_every_way() {
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet = br#"""\\[]{}|a, :"#;
        for _ in 0..20_000 {
            let length = random.usize(1..300);
            let mut text = vec![b'['];
            text.extend((0..length).map(|_| alphabet[random.usize(..alphabet.len())]));
            // A long calm stretch takes the scan through blocks without anything in them.
            if random.u8(..4) == 0 {
                text.splice(1..1, std::iter::repeat_n(b'x', random.usize(..200)));
            }
            let _ = all_ways(&text, 0, random.usize(1..12));
        }
    }

    #[test]
    fn a_string_ends_at_its_own_quote() {
        let long = format!(r#""{}\" {}\\""#, "x".repeat(100), "y".repeat(70));
        assert_eq!(string(format!("{long}, 1").as_bytes(), 0), Ok((long.len(), true)));
        assert_eq!(string(br#""abc""#, 0), Ok((5, false)));
        assert_eq!(string(br#""abc\""#, 0), Err(NoEnd::Unclosed));
        assert_eq!(string(format!("\"{}", "x".repeat(500)).as_bytes(), 0), Err(NoEnd::Unclosed));
    }
}
