//! The machine's vector instructions: AVX-512, AVX2 or none, chosen at run time.
//!
//! A [`Kernel`] is written once against [`Lanes`] and compiled for each. Plain loops are too, by the macro
//! `vectorized`.
//! The environment variable `STRATA_SIMD` (`avx512`, `avx2`, `plain`) asks for less than the machine has.

use std::marker::PhantomData;
use std::sync::OnceLock;

/// Vectors of `T`: the few operations that the kernels need.
pub trait Lanes<T>: Copy + Send + Sync {
    /// One vector.
    type Vector: Copy;
    /// Numbers in a vector.
    const WIDTH: usize;
    /// True with 32 vector registers, false with 16.
    const MANY_REGISTERS: bool;

    /// All lanes equal.
    fn splat(self, value: T) -> Self::Vector;
    /// `a·b + c`.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger; NaN in `a` stays.
    fn not_below(self, a: Self::Vector, floor: Self::Vector) -> Self::Vector;
    /// Reads `WIDTH` numbers.
    ///
    /// # Safety
    /// They can be read.
    #[allow(unsafe_code)]
    unsafe fn load(self, from: *const T) -> Self::Vector {
        // SAFETY: the caller's promise; unaligned reads need nothing more.
        unsafe { from.cast::<Self::Vector>().read_unaligned() }
    }
    /// Writes `WIDTH` numbers.
    ///
    /// # Safety
    /// They can be written.
    #[allow(unsafe_code)]
    unsafe fn store(self, to: *mut T, value: Self::Vector) {
        // SAFETY: the caller's promise; unaligned writes need nothing more.
        unsafe { to.cast::<Self::Vector>().write_unaligned(value) }
    }
    /// Reads `count` ≤ `WIDTH` numbers; the other lanes are 0.
    ///
    /// # Safety
    /// `count` numbers can be read.
    #[allow(unsafe_code)]
    unsafe fn load_some(self, from: *const T, count: usize) -> Self::Vector;
    /// Writes the first `count` ≤ `WIDTH` lanes.
    ///
    /// # Safety
    /// `count` numbers can be written.
    #[allow(unsafe_code)]
    unsafe fn store_some(self, to: *mut T, value: Self::Vector, count: usize);
}

/// Work that is compiled for each instruction set.
pub trait Kernel<T> {
    /// Does it. Implementations are `#[inline(always)]`, so that they become part of the compiled variant.
    fn run<L: Lanes<T>>(self, lanes: L);
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// 16 numbers of f32 at once.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// 8 numbers of f32 at once, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// What the compiler makes of plain Rust.
    Plain,
}

impl Level {
    /// All that this machine has, best first.
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

    /// The name that `STRATA_SIMD` knows it by.
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
            match $crate::nn::ops::simd::Level::chosen() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the level is only there where the machine has these instructions.
                $crate::nn::ops::simd::Level::Avx512(_) => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                $crate::nn::ops::simd::Level::Avx2(_) => unsafe { avx2($($arg),*) },
                $crate::nn::ops::simd::Level::Plain => body($($arg),*),
            }
        }
    )+};
}
pub(crate) use vectorized;

/// The vectors of each level for one type of number.
pub trait Vectors: Copy + Sized {
    /// Runs a kernel at a level.
    fn run_kernel(level: Level, kernel: impl Kernel<Self>);
    /// Numbers in a vector at a level.
    fn width(level: Level) -> usize;
    /// Whether a level has 32 registers.
    fn many_registers(level: Level) -> bool;
}

/// A kernel on its way into the variant compiled for its instructions.
#[cfg(target_arch = "x86_64")]
struct Compiled<T, L, K> {
    lanes: L,
    kernel: K,
    number: PhantomData<T>,
}

#[cfg(target_arch = "x86_64")]
impl<T, L: Lanes<T>, K: Kernel<T>> pulp::NullaryFnOnce for Compiled<T, L, K> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.kernel.run(self.lanes);
    }
}

/// Plain arrays as vectors.
#[derive(Clone, Copy)]
struct Plain;

macro_rules! vectors {
    ($T:ty, $width512:expr, $width256:expr, $plain:expr, $splat:ident, $fma:ident, $max:ident, $mask:ident,
     $load:ident, $store:ident, $vectors:ident, $Index:ty) => {
        impl Lanes<$T> for Plain {
            type Vector = [$T; $plain];
            const WIDTH: usize = $plain;
            const MANY_REGISTERS: bool = false;

            #[inline(always)]
            fn splat(self, value: $T) -> Self::Vector {
                [value; $plain]
            }

            #[inline(always)]
            fn multiply_add(self, a: Self::Vector, b: Self::Vector, mut c: Self::Vector) -> Self::Vector {
                for lane in 0..$plain {
                    c[lane] += a[lane] * b[lane];
                }
                c
            }

            #[inline(always)]
            fn not_below(self, mut a: Self::Vector, floor: Self::Vector) -> Self::Vector {
                for lane in 0..$plain {
                    a[lane] = if a[lane] < floor[lane] { floor[lane] } else { a[lane] };
                }
                a
            }

            #[inline(always)]
            #[allow(unsafe_code)]
            unsafe fn load_some(self, from: *const $T, count: usize) -> Self::Vector {
                let mut vector = [0.0; $plain];
                for lane in 0..count {
                    // SAFETY: the caller lets `count` numbers be read.
                    vector[lane] = unsafe { *from.add(lane) };
                }
                vector
            }

            #[inline(always)]
            #[allow(unsafe_code)]
            unsafe fn store_some(self, to: *mut $T, value: Self::Vector, count: usize) {
                for lane in 0..count {
                    // SAFETY: the caller lets `count` numbers be written.
                    unsafe { *to.add(lane) = value[lane] };
                }
            }
        }

        vectors!(@x86 $T, pulp::x86::V4, $width512, true, $splat, $fma, $max, $mask, $load, $store, $vectors, $Index);
        vectors!(@x86 $T, pulp::x86::V3, $width256, false, $splat, $fma, $max, $mask, $load, $store, $vectors, $Index);

        impl Vectors for $T {
            #[inline]
            fn run_kernel(level: Level, kernel: impl Kernel<$T>) {
                match level {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512(lanes) => lanes.vectorize(Compiled { lanes, kernel, number: PhantomData::<$T> }),
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2(lanes) => lanes.vectorize(Compiled { lanes, kernel, number: PhantomData::<$T> }),
                    Level::Plain => kernel.run(Plain),
                }
            }

            fn width(level: Level) -> usize {
                match level {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512(_) => $width512,
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2(_) => $width256,
                    Level::Plain => $plain,
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
    };
    (@x86 $T:ty, $simd:ty, $width:expr, $many:expr, $splat:ident, $fma:ident, $max:ident, $mask:ident,
     $load:ident, $store:ident, $vectors:ident, $Index:ty) => {
        #[cfg(target_arch = "x86_64")]
        impl Lanes<$T> for $simd {
            type Vector = <$simd as pulp::Simd>::$vectors;
            const WIDTH: usize = $width;
            const MANY_REGISTERS: bool = $many;

            #[inline(always)]
            fn splat(self, value: $T) -> Self::Vector {
                pulp::Simd::$splat(self, value)
            }

            #[inline(always)]
            fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                pulp::Simd::$fma(self, a, b, c)
            }

            #[inline(always)]
            fn not_below(self, a: Self::Vector, floor: Self::Vector) -> Self::Vector {
                // x86's maximum gives its second argument where either is NaN.
                pulp::Simd::$max(self, floor, a)
            }

            #[inline(always)]
            #[allow(unsafe_code)]
            unsafe fn load_some(self, from: *const $T, count: usize) -> Self::Vector {
                let mask = pulp::Simd::$mask(self, 0, count as $Index);
                // SAFETY: the mask lets only the first `count` numbers be read, which the caller allows.
                unsafe { pulp::Simd::$load(self, mask, from) }
            }

            #[inline(always)]
            #[allow(unsafe_code)]
            unsafe fn store_some(self, to: *mut $T, value: Self::Vector, count: usize) {
                let mask = pulp::Simd::$mask(self, 0, count as $Index);
                // SAFETY: the mask lets only the first `count` numbers be written, which the caller allows.
                unsafe { pulp::Simd::$store(self, mask, to, value) }
            }
        }
    };
}

vectors!(
    f32,
    16,
    8,
    4,
    splat_f32s,
    mul_add_e_f32s,
    max_f32s,
    mask_between_m32s,
    mask_load_ptr_f32s,
    mask_store_ptr_f32s,
    f32s,
    u32
);
vectors!(
    f64,
    8,
    4,
    2,
    splat_f64s,
    mul_add_e_f64s,
    max_f64s,
    mask_between_m64s,
    mask_load_ptr_f64s,
    mask_store_ptr_f64s,
    f64s,
    u64
);
