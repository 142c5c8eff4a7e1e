//! Looks at 64 bytes of JSON text at once, with SSE2 where the processor has it and with plain words elsewhere. It knows
//! which bytes matter to a skipper, not what they mean. Both lenses see the same.

/// Which bytes of a block are what; bit 0 is the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quote: u64,
    pub(super) backslash: u64,
    pub(super) open: u64,
    pub(super) close: u64,
}

pub(super) type Block = [u8; 64];

/// How a processor looks at a block.
pub(super) trait Lens {
    fn masks(block: &Block) -> Masks;

    /// How many bits are set in each.
    fn counts(open: u64, close: u64) -> (usize, usize);
}

#[cfg(target_arch = "x86_64")]
pub(super) type Native = sse2::Sse2;
#[cfg(not(target_arch = "x86_64"))]
pub(super) type Native = Portable;

#[cfg(target_arch = "x86_64")]
mod sse2 {
    //! Sixteen bytes at a time.

    use safe_arch::{
        add_i8_m128i, bitand_m128i, bitor_m128i, cmp_eq_mask_i8_m128i, load_unaligned_m128i, m128i, move_mask_i8_m128i,
        set_i64_m128i, set_splat_i8_m128i, shr_imm_u64_m128i, sub_i8_m128i, sum_of_u8_abs_diff_m128i, zeroed_m128i,
    };

    use super::{Block, Lens, Masks};

    pub(in crate::rasa) struct Sse2;

    impl Lens for Sse2 {
        #[inline(always)]
        fn masks(block: &Block) -> Masks {
            let (lanes, _) = block.as_chunks::<16>();
            let fold = set_splat_i8_m128i(0x20);
            let mut masks = Masks { quote: 0, backslash: 0, open: 0, close: 0 };
            for (index, lane) in lanes.iter().enumerate() {
                let bytes = load_unaligned_m128i(lane);
                // The fold makes `{` of `[` and `}` of `]`.
                let folded = bitor_m128i(bytes, fold);
                let shift = index * 16;
                masks.quote |= equal(bytes, b'"') << shift;
                masks.backslash |= equal(bytes, b'\\') << shift;
                masks.open |= equal(folded, b'{') << shift;
                masks.close |= equal(folded, b'}') << shift;
            }
            masks
        }

        /// Both at once; the instruction that counts bits is younger than SSE2, and without it one count is as dear as this.
        #[inline(always)]
        fn counts(open: u64, close: u64) -> (usize, usize) {
            let bits = set_i64_m128i(close.cast_signed(), open.cast_signed());
            let pairs = sub_i8_m128i(bits, bitand_m128i(shr_imm_u64_m128i::<1>(bits), set_splat_i8_m128i(0x55)));
            let mask = set_splat_i8_m128i(0x33);
            let fours = add_i8_m128i(bitand_m128i(pairs, mask), bitand_m128i(shr_imm_u64_m128i::<2>(pairs), mask));
            let bytes = bitand_m128i(add_i8_m128i(fours, shr_imm_u64_m128i::<4>(fours)), set_splat_i8_m128i(0x0f));
            let sums: [u64; 2] = sum_of_u8_abs_diff_m128i(bytes, zeroed_m128i()).into();
            (sums[0] as usize, sums[1] as usize)
        }
    }

    #[inline(always)]
    fn equal(bytes: m128i, wanted: u8) -> u64 {
        let hits = cmp_eq_mask_i8_m128i(bytes, set_splat_i8_m128i(wanted.cast_signed()));
        u64::from(move_mask_i8_m128i(hits).cast_unsigned())
    }
}

/// Eight bytes in a word, for every other processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) struct Portable;

#[cfg(any(test, not(target_arch = "x86_64")))]
impl Lens for Portable {
    fn masks(block: &Block) -> Masks {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        // One bit a byte that equals `wanted`.
        let equal = |bytes: u64, wanted: u8| {
            let differs = bytes ^ (u64::from(wanted) * ONES);
            // The top bit of each byte is set where the byte is zero, without a carry from its neighbours.
            let zero = !((differs & LOW).wrapping_add(LOW) | differs | LOW);
            (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
        };
        let (words, _) = block.as_chunks::<8>();
        let mut masks = Masks { quote: 0, backslash: 0, open: 0, close: 0 };
        for (index, word) in words.iter().enumerate() {
            let bytes = u64::from_le_bytes(*word);
            let folded = bytes | (0x20 * ONES);
            let shift = index * 8;
            masks.quote |= equal(bytes, b'"') << shift;
            masks.backslash |= equal(bytes, b'\\') << shift;
            masks.open |= equal(folded, b'{') << shift;
            masks.close |= equal(folded, b'}') << shift;
        }
        masks
    }

    fn counts(open: u64, close: u64) -> (usize, usize) {
        (open.count_ones() as usize, close.count_ones() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lenses_see_the_same() {
        let mut random = fastrand::Rng::with_seed(8);
        for byte in 0..=255_u8 {
            let mut block = [b' '; 64];
            block[0] = byte;
            block[random.usize(1..64)] = byte;
            assert_eq!(Native::masks(&block), Portable::masks(&block), "byte {byte}");
            let (open, close) = (random.u64(..), random.u64(..));
            assert_eq!(Native::counts(open, close), Portable::counts(open, close));
        }
        assert_eq!(Native::counts(0, u64::MAX), (0, 64));
    }
}
