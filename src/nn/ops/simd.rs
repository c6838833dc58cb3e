//! The machine's vector instructions: AVX-512, AVX2 or none, chosen at run time.
//!
//! A [`Kernel`] is written once against [`Lanes`] and compiled for each. Plain loops are too, by the macro
//! `vectorized`.
//! The environment variable `STRATA_SIMD` (`avx512`, `avx2`, `plain`) asks for less than the machine has.

use super::turn::SQUARE;
use std::sync::OnceLock;

/// Vectors of `T`: the few operations that the kernels need.
///
/// # Safety
/// A `Vector` is `WIDTH` values of `T` in order and nothing else: any `WIDTH` values make one.
#[allow(unsafe_code)]
pub unsafe trait Lanes<T>: Copy + Send + Sync {
    /// One vector.
    type Vector: Copy;
    /// Elements of a vector.
    const WIDTH: usize;
    /// True with 32 vector registers, false with 16.
    const MANY_REGISTERS: bool;

    /// All lanes equal.
    fn splat(self, value: T) -> Self::Vector;
    /// `a·b + c`.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a − b`.
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger of both; NaN in `a` stays NaN.
    fn not_below(self, a: Self::Vector, floor: Self::Vector) -> Self::Vector;
    /// `value` where `gate` is positive, 0 elsewhere.
    fn where_positive(self, gate: Self::Vector, value: Self::Vector) -> Self::Vector;
    /// Reads `WIDTH` elements.
    ///
    /// # Safety
    /// `WIDTH` elements are readable at `from`.
    unsafe fn load(self, from: *const T) -> Self::Vector {
        const { assert!(size_of::<Self::Vector>() == Self::WIDTH * size_of::<T>()) };
        // SAFETY: the caller lets `WIDTH` values be read, which are a vector (the trait's contract). It
        // need not be aligned.
        unsafe { from.cast::<Self::Vector>().read_unaligned() }
    }
    /// Writes `WIDTH` elements.
    ///
    /// # Safety
    /// `WIDTH` elements are writable at `to`.
    unsafe fn store(self, to: *mut T, value: Self::Vector) {
        const { assert!(size_of::<Self::Vector>() == Self::WIDTH * size_of::<T>()) };
        // SAFETY: the caller lets `WIDTH` values be written, which a vector is (the trait's contract). It
        // need not be aligned.
        unsafe { to.cast::<Self::Vector>().write_unaligned(value) }
    }
    /// Reads `count` elements; the other lanes are 0.
    ///
    /// # Safety
    /// `count` elements are readable at `from`, and `count` ≤ `WIDTH`.
    unsafe fn load_some(self, from: *const T, count: usize) -> Self::Vector;
    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// `count` elements are writable at `to`, and `count` ≤ `WIDTH`.
    unsafe fn store_some(self, to: *mut T, value: Self::Vector, count: usize);
    /// Writes a square of [`SQUARE`] rows and columns with its axes exchanged. Rows are `from_row` and `to_row` elements
    /// apart.
    ///
    /// # Safety
    /// All rows of the square are readable at `from` and writable at `to`.
    #[inline(always)]
    unsafe fn turn_square(self, from: *const T, from_row: usize, to: *mut T, to_row: usize)
    where
        T: Copy,
    {
        for row in 0..SQUARE {
            for column in 0..SQUARE {
                // SAFETY: the caller lets the square be read and written.
                unsafe { *to.add(column * to_row + row) = *from.add(row * from_row + column) };
            }
        }
    }
}

/// Work that is compiled for each instruction set.
pub trait Kernel<T> {
    /// Runs the kernel. Implementations are `#[inline(always)]`, so that they become part of the compiled variant.
    fn run<L: Lanes<T>>(self, lanes: L);
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// 16 elements of f32 at once.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// 8 elements of f32 at once, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// Plain Rust, as the compiler vectorizes it.
    Plain,
}

impl Level {
    /// All levels of this machine, best first.
    pub fn available() -> Vec<Level> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(pulp::x86::V4::try_new().map(Level::Avx512));
            levels.extend(pulp::x86::V3::try_new().map(Level::Avx2));
        }
        levels.push(Level::Plain);
        levels
    }

    /// Its name in `STRATA_SIMD`.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "avx2",
            Level::Plain => "plain",
        }
    }

    /// The one in use: the best, or the one that `STRATA_SIMD` names if the machine has it.
    pub fn chosen() -> Level {
        static CHOSEN: OnceLock<Level> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let wanted = std::env::var("STRATA_SIMD").unwrap_or_default();
            let levels = Level::available();
            let named = levels.iter().find(|level| level.name() == wanted);
            if named.is_none() && !wanted.is_empty() {
                log::warn!("STRATA_SIMD={wanted} is not what this machine has: the best is used");
            }
            named.or(levels.first()).copied().unwrap_or(Level::Plain)
        })
    }
}

/// Compiles functions once for each instruction set, so that their plain loops become vectors, and calls
/// the variant for this machine. Bodies must not branch where vectors are wanted; closures that they call
/// should be small.
macro_rules! vectorized {
    ($($(#[$about:meta])* $vis:vis fn $name:ident<$T:ident: Real>($($arg:ident: $type:ty),* $(,)?) $body:block)+) => {$(
        $(#[$about])*
        #[allow(unsafe_code)]
        $vis fn $name<$T: Real>($($arg: $type),*) {
            #[inline(always)]
            fn body<$T: Real>($($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma")]
            fn avx512<$T: Real>($($arg: $type),*) {
                body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$T: Real>($($arg: $type),*) {
                body($($arg),*)
            }
            match $crate::ops::simd::Level::chosen() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the level holds pulp's token, which is only made where the machine has these
                // instructions.
                $crate::ops::simd::Level::Avx512(_) => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the token, as above.
                $crate::ops::simd::Level::Avx2(_) => unsafe { avx2($($arg),*) },
                $crate::ops::simd::Level::Plain => body($($arg),*),
            }
        }
    )+};
}
pub(crate) use vectorized;

/// The vectors of each level for one element type.
pub trait Vectors: Copy + Sized {
    /// Whether convolutions may be computed at points, as [`super::winograd`] does: otherwise always directly.
    const USES_POINTS: bool;
    /// Runs a kernel at a level.
    fn run_kernel(level: Level, kernel: impl Kernel<Self>);
    /// Elements of a vector at a level.
    fn width(level: Level) -> usize;
    /// Whether a level has 32 registers.
    fn many_registers(level: Level) -> bool;
}

/// A kernel to be compiled for the instructions of `lanes`.
#[cfg(target_arch = "x86_64")]
struct Compiled<L, K> {
    lanes: L,
    kernel: K,
}

#[cfg(target_arch = "x86_64")]
impl<L: Lanes<f32>, K: Kernel<f32>> pulp::NullaryFnOnce for Compiled<L, K> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.kernel.run(self.lanes);
    }
}

/// Plain arrays as vectors.
#[derive(Clone, Copy)]
struct Plain;

macro_rules! plain_vectors {
    ($T:ty, $width:expr) => {
        // SAFETY: a vector is an array of `WIDTH` values.
        #[allow(unsafe_code)]
        unsafe impl Lanes<$T> for Plain {
            type Vector = [$T; $width];
            const WIDTH: usize = $width;
            const MANY_REGISTERS: bool = false;

            #[inline(always)]
            fn splat(self, value: $T) -> Self::Vector {
                [value; $width]
            }

            #[inline(always)]
            fn multiply_add(
                self,
                a: Self::Vector,
                b: Self::Vector,
                mut c: Self::Vector,
            ) -> Self::Vector {
                for lane in 0..$width {
                    c[lane] += a[lane] * b[lane];
                }
                c
            }

            #[inline(always)]
            fn add(self, mut a: Self::Vector, b: Self::Vector) -> Self::Vector {
                for lane in 0..$width {
                    a[lane] += b[lane];
                }
                a
            }

            #[inline(always)]
            fn subtract(self, mut a: Self::Vector, b: Self::Vector) -> Self::Vector {
                for lane in 0..$width {
                    a[lane] -= b[lane];
                }
                a
            }

            #[inline(always)]
            fn not_below(self, mut a: Self::Vector, floor: Self::Vector) -> Self::Vector {
                for lane in 0..$width {
                    a[lane] = if a[lane] < floor[lane] {
                        floor[lane]
                    } else {
                        a[lane]
                    };
                }
                a
            }

            #[inline(always)]
            fn where_positive(self, gate: Self::Vector, mut value: Self::Vector) -> Self::Vector {
                for lane in 0..$width {
                    value[lane] = if gate[lane] > 0.0 { value[lane] } else { 0.0 };
                }
                value
            }

            #[inline(always)]
            unsafe fn load_some(self, from: *const $T, count: usize) -> Self::Vector {
                let mut vector = [0.0; $width];
                for (lane, number) in vector.iter_mut().enumerate().take(count) {
                    // SAFETY: the caller lets `count` elements be read.
                    *number = unsafe { *from.add(lane) };
                }
                vector
            }

            #[inline(always)]
            unsafe fn store_some(self, to: *mut $T, value: Self::Vector, count: usize) {
                for (lane, number) in value.into_iter().enumerate().take(count) {
                    // SAFETY: the caller lets `count` elements be written.
                    unsafe { *to.add(lane) = number };
                }
            }
        }
    };
}

/// Vectors of f32 by pulp.
macro_rules! x86_vectors {
    ($simd:ty, $width:expr, $many:expr) => {
        // SAFETY: pulp's `f32s` is a `repr(C)` struct of `WIDTH` fields of f32.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        unsafe impl Lanes<f32> for $simd {
            type Vector = <$simd as pulp::Simd>::f32s;
            const WIDTH: usize = $width;
            const MANY_REGISTERS: bool = $many;

            #[inline(always)]
            fn splat(self, value: f32) -> Self::Vector {
                pulp::Simd::splat_f32s(self, value)
            }

            #[inline(always)]
            fn multiply_add(
                self,
                a: Self::Vector,
                b: Self::Vector,
                c: Self::Vector,
            ) -> Self::Vector {
                pulp::Simd::mul_add_e_f32s(self, a, b, c)
            }

            #[inline(always)]
            fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                pulp::Simd::add_f32s(self, a, b)
            }

            #[inline(always)]
            fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                pulp::Simd::sub_f32s(self, a, b)
            }

            #[inline(always)]
            fn not_below(self, a: Self::Vector, floor: Self::Vector) -> Self::Vector {
                // x86's maximum gives its second argument where either is NaN.
                pulp::Simd::max_f32s(self, floor, a)
            }

            #[inline(always)]
            fn where_positive(self, gate: Self::Vector, value: Self::Vector) -> Self::Vector {
                let zero = pulp::Simd::splat_f32s(self, 0.0);
                let mask = pulp::Simd::greater_than_f32s(self, gate, zero);
                pulp::Simd::select_f32s(self, mask, value, zero)
            }

            #[inline(always)]
            unsafe fn load_some(self, from: *const f32, count: usize) -> Self::Vector {
                let mask = pulp::Simd::mask_between_m32s(self, 0, count as u32);
                // SAFETY: the mask lets only the first `count` elements be read, which the caller allows.
                unsafe { pulp::Simd::mask_load_ptr_f32s(self, mask, from) }
            }

            #[inline(always)]
            unsafe fn store_some(self, to: *mut f32, value: Self::Vector, count: usize) {
                let mask = pulp::Simd::mask_between_m32s(self, 0, count as u32);
                // SAFETY: the mask lets only the first `count` elements be written, which the caller allows.
                unsafe { pulp::Simd::mask_store_ptr_f32s(self, mask, to, value) }
            }

            #[inline(always)]
            unsafe fn turn_square(
                self,
                from: *const f32,
                from_row: usize,
                to: *mut f32,
                to_row: usize,
            ) {
                // SAFETY: the caller lets the square be read and written. Both levels have AVX.
                unsafe { turn_eight(from, from_row, to, to_row) }
            }
        }
    };
}

/// Turns a square of f32 over: pairs, then fours, then halves change places.
///
/// # Safety
/// As of [`Lanes::turn_square`], on a machine with AVX.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline]
#[target_feature(enable = "avx")]
unsafe fn turn_eight(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    use std::arch::x86_64::{
        _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };
    const LOW: i32 = 0x44;
    const HIGH: i32 = 0xee;
    // SAFETY: the caller's contract.
    unsafe {
        let row = |index: usize| _mm256_loadu_ps(from.add(index * from_row));
        let pair = |index: usize| {
            let (a, b) = (row(index), row(index + 1));
            (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b))
        };
        let four = |index: usize| {
            let ((low, high), (lower, higher)) = (pair(index), pair(index + 2));
            [
                _mm256_shuffle_ps::<LOW>(low, lower),
                _mm256_shuffle_ps::<HIGH>(low, lower),
                _mm256_shuffle_ps::<LOW>(high, higher),
                _mm256_shuffle_ps::<HIGH>(high, higher),
            ]
        };
        let (upper, lower) = (four(0), four(4));
        for column in 0..4 {
            let (a, b) = (upper[column], lower[column]);
            let first = _mm256_permute2f128_ps::<0x20>(a, b);
            let second = _mm256_permute2f128_ps::<0x31>(a, b);
            _mm256_storeu_ps(to.add(column * to_row), first);
            _mm256_storeu_ps(to.add((column + 4) * to_row), second);
        }
    }
}

plain_vectors!(f32, 4);
plain_vectors!(f64, 2);
x86_vectors!(pulp::x86::V4, 16, true);
x86_vectors!(pulp::x86::V3, 8, false);

impl Vectors for f32 {
    const USES_POINTS: bool = true;

    #[inline]
    fn run_kernel(level: Level, kernel: impl Kernel<f32>) {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(lanes) => lanes.vectorize(Compiled { lanes, kernel }),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(lanes) => lanes.vectorize(Compiled { lanes, kernel }),
            Level::Plain => kernel.run(Plain),
        }
    }

    fn width(level: Level) -> usize {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => 16,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => 8,
            Level::Plain => 4,
        }
    }

    fn many_registers(level: Level) -> bool {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => true,
            _ => false,
        }
    }
}

/// Networks of f64 are for finite differences: plain at every level, which halves what there is to compile.
impl Vectors for f64 {
    const USES_POINTS: bool = false;

    #[inline]
    fn run_kernel(_: Level, kernel: impl Kernel<f64>) {
        kernel.run(Plain);
    }

    fn width(_: Level) -> usize {
        2
    }

    fn many_registers(_: Level) -> bool {
        false
    }
}
