//! Queries and replies, typed for those who ask, and without their type for queues.

use crate::error::RunError;
use std::any::{Any, TypeId};
use std::fmt::{self, Debug, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use strata_core::project::help::{Repair, Surface};
use strata_data::DataError;
use strata_inspect::inspection::{Inspection, InspectionContext, Needs, Slice, Subject};

/// What is asked for, and of what.
pub struct Query<I: Inspection> {
    /// The run or the images that are inspected.
    pub subject: Subject,
    /// What is asked of them.
    pub request: I::Request,
    /// Which slice of volumes is shown.
    pub slice: Slice,
}

impl<I: Inspection> Query<I> {
    /// A query.
    pub fn new(subject: Subject, request: I::Request) -> Query<I> {
        Query {
            subject,
            request,
            slice: None,
        }
    }

    /// The same of this slice, where there are volumes.
    #[must_use]
    pub fn with_slice(self, slice: Slice) -> Query<I> {
        Query { slice, ..self }
    }
}

// Derived impls would ask the same of `I`, which only names the kind.
impl<I: Inspection> Clone for Query<I> {
    fn clone(&self) -> Query<I> {
        Query::new(self.subject.clone(), self.request.clone()).with_slice(self.slice)
    }
}

impl<I: Inspection> PartialEq for Query<I> {
    fn eq(&self, other: &Query<I>) -> bool {
        self.subject == other.subject && self.request == other.request && self.slice == other.slice
    }
}

impl<I: Inspection> Debug for Query<I> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}: {:?}", I::NAME, self.subject, self.request)
    }
}

/// A query with its result.
#[derive(Clone, Debug)]
pub struct Reply<I: Inspection> {
    /// What was asked.
    pub query: Query<I>,
    /// What came of it.
    pub result: Result<Arc<I>, InspectionError>,
}

/// Why a query has no output.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InspectionError {
    /// The user ended the reading of images.
    #[error("Reading was cancelled.")]
    Cancelled,
    /// The computation panicked.
    #[error("a defect in Strata ended this; please report it")]
    Defect,
    /// It could not be computed.
    #[error("{message}")]
    Failed {
        /// What is wrong, where, and what to do in the window.
        message: String,
        /// What a button can do about it.
        repair: Option<Box<Repair>>,
    },
}

impl From<RunError> for InspectionError {
    fn from(error: RunError) -> InspectionError {
        match error {
            RunError::Data(DataError::Cancelled) => InspectionError::Cancelled,
            error => {
                let mut repairs = error.repairs().into_iter();
                let repair = repairs.find(|repair| matches!(repair, Repair::Data(_)));
                InspectionError::Failed {
                    message: error.text(Surface::Window),
                    repair: repair.map(Box::new),
                }
            }
        }
    }
}

/// A query of any kind.
#[derive(Clone)]
pub struct AnyQuery(Arc<dyn ErasedQuery>);

trait ErasedQuery: Send + Sync + Debug {
    fn kind(&self) -> TypeId;
    fn needs(&self) -> Needs;
    fn subject(&self) -> &Subject;
    fn compute(&self, cx: &mut InspectionContext<'_>) -> AnyReply;
    fn change(&self, now: AnyReply, earlier: &AnyReply) -> AnyReply;
    fn refuse(&self, error: InspectionError) -> AnyReply;
    fn as_any(&self) -> &dyn Any;
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<I: Inspection> ErasedQuery for Query<I> {
    fn kind(&self) -> TypeId {
        TypeId::of::<I>()
    }

    fn needs(&self) -> Needs {
        I::NEEDS
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn compute(&self, cx: &mut InspectionContext<'_>) -> AnyReply {
        cx.slice = self.slice;
        let output = I::compute(cx, &self.request).map_err(RunError::from);
        AnyReply::new(Reply::<I> {
            query: self.clone(),
            result: output.map(Arc::new).map_err(InspectionError::from),
        })
    }

    fn change(&self, now: AnyReply, earlier: &AnyReply) -> AnyReply {
        let output = |reply: &AnyReply| Some(reply.get::<I>()?.result.clone());
        let result = match (output(&now), output(earlier)) {
            (Some(Ok(now)), Some(Ok(earlier))) => now
                .change_since(&earlier)
                .map(Arc::new)
                .map_err(|error| RunError::from(error).into()),
            (Some(Err(error)), _) | (_, Some(Err(error))) => Err(error),
            (None, _) | (_, None) => Err(InspectionError::Defect),
        };
        AnyReply::new(Reply::<I> {
            query: self.clone(),
            result,
        })
    }

    fn refuse(&self, error: InspectionError) -> AnyReply {
        AnyReply::new(Reply::<I> {
            query: self.clone(),
            result: Err(error),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<Query<I>>() == Some(self)
    }
}

impl AnyQuery {
    /// Forgets the kind of a query.
    pub fn new<I: Inspection>(query: Query<I>) -> AnyQuery {
        AnyQuery(Arc::new(query))
    }

    /// The kind of inspection.
    pub fn kind(&self) -> TypeId {
        self.0.kind()
    }

    /// What has to be open for it.
    pub fn needs(&self) -> Needs {
        self.0.needs()
    }

    /// What is inspected.
    pub fn subject(&self) -> &Subject {
        self.0.subject()
    }

    /// The query, if it is of this kind.
    pub fn get<I: Inspection>(&self) -> Option<&Query<I>> {
        self.0.as_any().downcast_ref()
    }

    /// The reply. A panic is one too: what it left half done is dropped with the inspector.
    pub(super) fn compute(&self, mut cx: InspectionContext<'_>) -> AnyReply {
        let reply = catch_unwind(AssertUnwindSafe(|| self.0.compute(&mut cx)));
        reply.unwrap_or_else(|_| {
            *cx.inspector = Default::default();
            self.refuse(InspectionError::Defect)
        })
    }

    /// What has changed from an earlier reply to the one of now.
    pub(super) fn change(&self, now: AnyReply, earlier: &AnyReply) -> AnyReply {
        let reply = catch_unwind(AssertUnwindSafe(|| self.0.change(now, earlier)));
        reply.unwrap_or_else(|_| self.refuse(InspectionError::Defect))
    }

    /// The reply that there is no output.
    pub(super) fn refuse(&self, error: InspectionError) -> AnyReply {
        self.0.refuse(error)
    }
}

impl PartialEq for AnyQuery {
    fn eq(&self, other: &AnyQuery) -> bool {
        self.0.is_same(other.0.as_any())
    }
}

impl Debug for AnyQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A reply of any kind.
pub struct AnyReply {
    kind: TypeId,
    query: AnyQuery,
    error: Option<InspectionError>,
    /// `Arc<Reply<I>>`.
    reply: Box<dyn Any + Send + Sync>,
}

impl AnyReply {
    /// Forgets the kind of a reply.
    pub fn new<I: Inspection>(reply: Reply<I>) -> AnyReply {
        AnyReply {
            kind: TypeId::of::<I>(),
            query: AnyQuery::new(reply.query.clone()),
            error: reply.result.as_ref().err().cloned(),
            reply: Box::new(Arc::new(reply)),
        }
    }

    /// The kind of inspection.
    pub fn kind(&self) -> TypeId {
        self.kind
    }

    /// What was asked.
    pub fn query(&self) -> &AnyQuery {
        &self.query
    }

    /// Why there is no output; `None` when there is one.
    pub fn error(&self) -> Option<&InspectionError> {
        self.error.as_ref()
    }

    /// The reply, if it is of this kind.
    pub fn get<I: Inspection>(&self) -> Option<&Arc<Reply<I>>> {
        self.reply.downcast_ref()
    }
}

impl Debug for AnyReply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "reply to {:?}", self.query)
    }
}

/// Queries that wait, in the order of their first asking; of each kind only the newest.
#[derive(Debug, Default)]
pub struct Queue(Vec<AnyQuery>);

impl Queue {
    /// Adds a query; an older one of its kind goes.
    pub fn push(&mut self, query: AnyQuery) {
        self.0.retain(|older| older.kind() != query.kind());
        self.0.push(query);
    }

    /// Takes out the one that has waited longest.
    pub fn pop(&mut self) -> Option<AnyQuery> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Takes out the query of a kind.
    pub fn take(&mut self, kind: TypeId) -> Option<AnyQuery> {
        let index = self.0.iter().position(|query| query.kind() == kind)?;
        Some(self.0.remove(index))
    }

    /// Whether a query of this kind waits.
    pub fn has(&self, kind: TypeId) -> bool {
        self.0.iter().any(|query| query.kind() == kind)
    }

    /// Takes out all queries of which this holds.
    pub(crate) fn drain_if(&mut self, is_meant: impl Fn(&AnyQuery) -> bool) -> Vec<AnyQuery> {
        let queries = std::mem::take(&mut self.0).into_iter();
        let (meant, others) = queries.partition(|query| is_meant(query));
        self.0 = others;
        meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_inspect::saliency::Saliency;
    use strata_inspect::sparse::SparseCode;

    #[test]
    fn the_newest_query_of_every_kind_waits() {
        let code = |run: &str| {
            let subject = Subject::Stored(run.into());
            AnyQuery::new(Query::<SparseCode>::new(subject, Default::default()))
        };
        let map = |run: &str| {
            let subject = Subject::Stored(run.into());
            AnyQuery::new(Query::<Saliency>::new(subject, Default::default()))
        };
        let mut queue = Queue::default();
        for query in [code("a"), map("a"), code("b"), map("b"), code("c")] {
            queue.push(query);
        }
        assert_eq!(queue.pop(), Some(map("b")));
        assert_eq!(queue.pop(), Some(code("c")));
        assert_eq!(queue.pop(), None);
    }
}
