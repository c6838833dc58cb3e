//! Threads that stay together through a step.
//!
//! A step of a few images has dozens of small pieces of parallel work. Handing each of them to a thread that has gone to
//! sleep takes longer than some of the pieces themselves. Within [`lead`] the other threads of the pool look for tasks all
//! the time, and a piece begins as soon as they see it. Who leads never waits for a thread that has not begun: tasks
//! that no other takes are done by the leader.
//!
//! Which thread does a task changes nothing of its result: tasks are cut by sizes alone.

#![allow(unsafe_code)]

use super::shared_output::SharedOutput;
use rayon::prelude::*;
use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long an idle thread looks for tasks without a break, and then without sleeping.
const SPIN: Duration = Duration::from_micros(50);
const AWAKE: Duration = Duration::from_micros(500);
/// How long it sleeps after that, until it looks again.
const NAP: Duration = Duration::from_micros(50);
/// Looks for tasks of the leader between two looks for other tasks of the pool.
const LOOKS: usize = 32;

thread_local! {
    /// The team that this thread leads.
    static LED: Cell<*const Team> = const { Cell::new(std::ptr::null()) };
    /// The team that this thread helps, perhaps far up its stack: it looks for other tasks of the pool meanwhile.
    static FOLLOWED: Cell<*const Team> = const { Cell::new(std::ptr::null()) };
}

/// A number in a line of the cache of its own.
#[repr(align(128))]
struct Counter(AtomicUsize);

/// What all tasks of a piece of work are: a function of their number.
type Work<'a> = dyn Fn(usize) + Sync + 'a;

/// The tasks that are to be done.
#[derive(Clone, Copy)]
struct Piece {
    /// Borrowed from the leader, who waits until no member is inside.
    work: *const Work<'static>,
    count: usize,
}

/// A leader and the threads that help.
struct Team {
    /// Whether `piece` is to be worked on.
    open: AtomicBool,
    /// Members that may be looking at `piece`, besides the leader.
    inside: AtomicUsize,
    piece: UnsafeCell<Option<Piece>>,
    /// For each member the next task of its share. Who has done its own takes from the others'.
    next: Vec<Counter>,
    /// What a member's task panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Whether the leader has come to an end.
    over: AtomicBool,
}

// SAFETY: `piece` is written by the leader alone, while it is closed and no member is inside; members read it while they
// are inside and have seen it open. Its work may be called by all threads (`Sync`).
unsafe impl Sync for Team {}

impl Team {
    fn new(members: usize) -> Team {
        Team {
            open: AtomicBool::new(false),
            inside: AtomicUsize::new(0),
            piece: UnsafeCell::new(None),
            next: (0..members).map(|_| Counter(AtomicUsize::new(0))).collect(),
            panic: Mutex::new(None),
            over: AtomicBool::new(false),
        }
    }

    /// The tasks of a member's share.
    fn share(&self, member: usize, count: usize) -> Range<usize> {
        let members = self.next.len();
        member * count / members..(member + 1) * count / members
    }

    /// Does tasks until none is left that nobody has begun: first those of this member's share.
    fn work(&self, member: usize, piece: Piece) {
        // SAFETY: the leader keeps the work alive until no member is inside, where this one is.
        let work = unsafe { &*piece.work };
        let members = self.next.len();
        for other in (member..members).chain(0..member) {
            let end = self.share(other, piece.count).end;
            let next = &self.next[other].0;
            while next.load(Ordering::Relaxed) < end {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= end {
                    break;
                }
                work(task);
            }
        }
    }

    /// Does all tasks, with the other members. The team must be closed.
    fn each(&self, count: usize, work: &Work<'_>) {
        // SAFETY: only the lifetime changes. `Closing` waits until no member is inside before `work` is given back.
        let work = unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(work) };
        let piece = Piece { work, count };
        for (member, next) in self.next.iter().enumerate() {
            let start = self.share(member, count).start;
            next.0.store(start, Ordering::Relaxed);
        }
        // SAFETY: the team is closed and no member is inside, so that no other thread looks at the piece.
        unsafe { *self.piece.get() = Some(piece) };
        self.open.store(true, Ordering::SeqCst);
        let closing = Closing(self);
        self.work(0, piece);
        drop(closing);
        let panic = self
            .panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Helps with the piece that is open, if one is; false where none is.
    fn help(&self, member: usize) -> bool {
        if !self.open.load(Ordering::Relaxed) {
            return false;
        }
        self.inside.fetch_add(1, Ordering::SeqCst);
        // Looked at again: the leader waits for who it sees inside after it has closed.
        if self.open.load(Ordering::SeqCst) {
            // SAFETY: the team was open after this member came in: the leader writes the piece only when it sees that
            // no member is inside.
            if let Some(piece) = unsafe { *self.piece.get() } {
                let done = catch_unwind(AssertUnwindSafe(|| self.work(member, piece)));
                if let Err(panic) = done {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
            }
        }
        self.inside.fetch_sub(1, Ordering::Release);
        true
    }

    /// Helps until the leader has come to an end.
    fn follow(&self, member: usize) {
        let (led, followed) = (LED.replace(std::ptr::null()), FOLLOWED.replace(self));
        let mut idle: Option<Instant> = None;
        while !self.over.load(Ordering::Acquire) {
            if (0..LOOKS).any(|_| self.help(member) || spun()) {
                idle = None;
                continue;
            }
            // What others have given to the pool.
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                idle = None;
                continue;
            }
            let waited = idle.get_or_insert_with(Instant::now).elapsed();
            if waited > AWAKE {
                std::thread::sleep(NAP);
            } else if waited > SPIN {
                std::thread::yield_now();
            }
        }
        LED.set(led);
        FOLLOWED.set(followed);
    }
}

/// Waits for a moment; false.
fn spun() -> bool {
    std::hint::spin_loop();
    false
}

/// Closes a team when it is dropped, and waits until no member is inside.
struct Closing<'a>(&'a Team);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.open.store(false, Ordering::SeqCst);
        let mut looks = 0_u32;
        while self.0.inside.load(Ordering::SeqCst) > 0 {
            std::hint::spin_loop();
            looks += 1;
            if looks.is_multiple_of(1 << 12) {
                std::thread::yield_now();
            }
        }
    }
}

/// Ends a team when it is dropped.
struct Ending<'a> {
    team: &'a Team,
    led_before: *const Team,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        LED.set(self.led_before);
        self.team.over.store(true, Ordering::Release);
    }
}

/// Cores that this program may use. Asked for once: the system reads files to answer.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Does work with the other threads of the pool at hand, as many as there are cores. On a thread that is not in a pool,
/// and in a pool of one thread, it does nothing else.
pub fn lead<R>(work: impl FnOnce() -> R) -> R {
    let members = rayon::current_num_threads().min(cores());
    let Some(leader) = rayon::current_thread_index().filter(|_| members > 1) else {
        return work();
    };
    let team = Team::new(members);
    let followed = &team;
    rayon::in_place_scope(|scope| {
        for member in 1..members {
            scope.spawn(move |_| {
                // The leader would wait for itself.
                if rayon::current_thread_index() != Some(leader) {
                    followed.follow(member);
                }
            });
        }
        let _ending = Ending {
            team: followed,
            led_before: LED.replace(followed),
        };
        work()
    })
}

/// Whether somebody waits for this thread, who took up what it does now while it helped: work that could go on for long
/// comes to an end then.
pub fn is_awaited() -> bool {
    // SAFETY: a thread that follows a team resets `FOLLOWED` before it leaves, which the team waits for.
    let followed = unsafe { FOLLOWED.get().as_ref() };
    followed.is_some_and(|team| team.over.load(Ordering::Acquire))
}

/// Calls `work` with `0..count`, on all threads.
pub(crate) fn each_task(count: usize, work: impl Fn(usize) + Sync) {
    if count < 2 {
        return (0..count).for_each(work);
    }
    // SAFETY: who leads a team resets `LED` before the team ends.
    match unsafe { LED.get().as_ref() } {
        // Of a task of this team.
        Some(team) if team.open.load(Ordering::Relaxed) => (0..count).for_each(work),
        Some(team) => team.each(count, &work),
        None => (0..count).into_par_iter().for_each(&work),
    }
}

/// The same, where at least so many tasks are worth handing to another thread.
pub(crate) fn each_of_some(count: usize, least: usize, work: impl Fn(usize) + Sync) {
    let pieces = count / least.max(1);
    if pieces < 2 {
        return (0..count).for_each(work);
    }
    each_task(pieces, |piece| {
        (piece * count / pieces..(piece + 1) * count / pieces).for_each(&work);
    });
}

/// Calls `work` with every `size` elements of slices of one length, and where they are, on all threads. Slices of
/// different lengths are a mistake of the caller.
pub fn each_chunk<T: Send, const N: usize>(
    slices: [&mut [T]; N],
    size: usize,
    work: impl Fn(Range<usize>, [&mut [T]; N]) + Sync,
) {
    let (len, size) = (slices.first().map_or(0, |slice| slice.len()), size.max(1));
    assert!(
        slices.iter().all(|slice| slice.len() == len),
        "slices of different lengths"
    );
    let shared = slices.map(SharedOutput::new);
    each_task(len.div_ceil(size), |task| {
        let range = task * size..(task * size + size).min(len);
        let mut shares = shared.each_ref().map(|slice| {
            // SAFETY: every task borrows the elements of its range alone.
            unsafe { slice.share() }
        });
        let chunks = shares
            .each_mut()
            .map(|share| share.slice_mut(range.clone()));
        work(range, chunks);
    });
}

/// The same with two slices of one length and different types.
pub(crate) fn each_chunk_of_both<A: Send, B: Send>(
    (a, b): (&mut [A], &mut [B]),
    size: usize,
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    assert!(a.len() == b.len(), "slices of different lengths");
    let (len, size) = (a.len(), size.max(1));
    let (a, b) = (SharedOutput::new(a), SharedOutput::new(b));
    each_task(len.div_ceil(size), |task| {
        let range = task * size..(task * size + size).min(len);
        // SAFETY: every task borrows the elements of its range alone.
        let (mut a, mut b) = unsafe { (a.share(), b.share()) };
        work(task, a.slice_mut(range.clone()), b.slice_mut(range));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(work)
    }

    #[test]
    fn every_task_is_done_once_whoever_does_it() {
        for threads in [1, 2, 3, 8] {
            in_pool(threads, || {
                lead(|| {
                    for count in [0, 1, 2, 7, 1000] {
                        let done: Vec<AtomicUsize> =
                            (0..count).map(|_| AtomicUsize::new(0)).collect();
                        each_task(count, |task| {
                            done[task].fetch_add(1, Ordering::Relaxed);
                        });
                        assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
                    }
                });
            });
        }
    }

    #[test]
    fn many_small_pieces_follow_each_other() {
        let sum = AtomicUsize::new(0);
        in_pool(2, || {
            lead(|| {
                for _ in 0..20_000 {
                    each_task(3, |task| {
                        sum.fetch_add(task, Ordering::Relaxed);
                    });
                }
            });
        });
        assert_eq!(sum.load(Ordering::Relaxed), 60_000);
    }

    #[test]
    fn tasks_of_tasks_and_of_rayon_are_done() {
        let sum = AtomicUsize::new(0);
        let add = |_: usize| {
            sum.fetch_add(1, Ordering::Relaxed);
        };
        in_pool(2, || {
            lead(|| {
                each_task(4, |_| each_task(5, add));
                each_task(4, |_| (0..5).into_par_iter().for_each(add));
                (0..4).into_par_iter().for_each(|_| each_task(5, add));
                lead(|| each_task(5, add));
            });
        });
        assert_eq!(sum.load(Ordering::Relaxed), 65);
    }

    #[test]
    fn a_panic_of_a_task_reaches_who_leads_and_leaves_the_pool_whole() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2);
        let pool = pool.build().unwrap();
        for bad in [0, 999] {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.install(|| {
                    lead(|| each_task(1000, |task| assert!(task != bad, "task {task}")));
                });
            }));
            assert!(outcome.is_err());
        }
        let sum = pool.install(|| lead(|| (0..10).into_par_iter().sum::<usize>()));
        assert_eq!(sum, 45);
    }

    #[test]
    fn who_took_up_other_work_while_helping_is_told_that_it_is_awaited() {
        let (begun, told) = (AtomicBool::new(false), AtomicBool::new(false));
        let long = |_: &rayon::Scope<'_>| {
            begun.store(true, Ordering::Release);
            let start = Instant::now();
            while !is_awaited() && start.elapsed() < Duration::from_secs(20) {
                std::thread::yield_now();
            }
            told.store(is_awaited(), Ordering::Release);
        };
        in_pool(2, || {
            rayon::in_place_scope(|scope| {
                lead(|| {
                    scope.spawn(long);
                    while cores() > 1 && !begun.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                    assert!(!is_awaited());
                });
            });
        });
        assert_eq!(told.into_inner(), cores() > 1);
    }

    #[test]
    fn chunks_are_all_elements_in_order() {
        let (mut a, mut b) = (vec![0; 10], vec![0; 10]);
        each_chunk([&mut a, &mut b], 4, |range, [a, b]| {
            for (place, (a, b)) in range.zip(a.iter_mut().zip(b)) {
                (*a, *b) = (place, 2 * place);
            }
        });
        assert_eq!(a, (0..10).collect::<Vec<_>>());
        let mut wide = vec![0.0; 10];
        each_chunk_of_both((&mut b, &mut wide), 3, |task, b, wide| {
            for (wide, b) in wide.iter_mut().zip(b) {
                *wide = *b as f64 + task as f64 * 100.0;
            }
        });
        assert_eq!(wide[0..4], [0.0, 2.0, 4.0, 106.0]);
    }
}
