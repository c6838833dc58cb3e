//! The inspection service and the live run take any kind of inspection, also one that is defined here.

use crate::kit::runs::{options, tiny};
use std::sync::Arc;
use std::time::Duration;
use strata::engine::command::Command;
use strata::engine::event::{Event, Outcome};
use strata::engine::inspection::reply::{AnyQuery, AnyReply, InspectionError, Query};
use strata::engine::inspection::service;
use strata::engine::thread::{Running, start};
use strata::inspect::inspection::{InspectError, Inspection, InspectionContext, Needs, Subject};

/// Doubles a number; a defect where that is 0.
#[derive(Debug, PartialEq)]
struct Doubled(u32);

impl Inspection for Doubled {
    const NAME: &'static str = "doubled";
    const NEEDS: Needs = Needs::Images;
    type Request = u32;

    fn compute(_: &mut InspectionContext<'_>, request: &u32) -> Result<Self, InspectError> {
        assert_ne!(*request, 0, "a defect");
        if *request > 100 {
            return Err(InspectError::Input(
                "too large; ask for 100 at most".to_owned(),
            ));
        }
        Ok(Doubled(2 * request))
    }
}

type Replied = Result<Arc<Doubled>, InspectionError>;

fn too_large() -> InspectionError {
    InspectionError::Failed {
        message: "too large; ask for 100 at most".to_owned(),
        repair: None,
    }
}

#[test]
fn the_service_replies_to_any_kind_and_outlives_a_defect() {
    let service = service::start(Some("cpu".into()), || {}).unwrap();
    let ask = |subject: Subject, request: u32| -> Replied {
        let query = Query::<Doubled>::new(subject, request);
        service.queries.send(AnyQuery::new(query.clone())).unwrap();
        let reply = service
            .replies
            .recv_timeout(Duration::from_secs(60))
            .unwrap();
        let reply = reply.get::<Doubled>().unwrap();
        assert_eq!(reply.query, query);
        reply.result.clone()
    };
    assert_eq!(ask(Subject::Nothing, 4), Ok(Arc::new(Doubled(8))));
    assert_eq!(ask(Subject::Nothing, 0), Err(InspectionError::Defect));
    assert_eq!(ask(Subject::Nothing, 101), Err(too_large()));
    assert_eq!(ask(Subject::Nothing, 5), Ok(Arc::new(Doubled(10))));
    let live = ask(Subject::Live, 5).unwrap_err();
    assert!(matches!(live, InspectionError::Failed { .. }), "{live}");
}

fn next(running: &Running) -> Event {
    running
        .events
        .recv_timeout(Duration::from_secs(60))
        .unwrap()
}

#[test]
fn a_run_in_training_replies_to_any_kind_and_outlives_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(tiny(&[]), options(&folder.path().join("run")), || {}).unwrap();
    running.commands.send(Command::Pause).unwrap();
    while next(&running) != Event::Paused {}
    let ask = |request: u32| -> Replied {
        let query = Query::<Doubled>::new(Subject::Live, request);
        running.live.ask(AnyQuery::new(query));
        running.commands.send(Command::RefreshInspections).unwrap();
        while next(&running) != Event::InspectionsUpdated {}
        let replies = running.live.take_replies();
        let reply = replies.iter().find_map(AnyReply::get::<Doubled>).unwrap();
        reply.result.clone()
    };
    assert_eq!(ask(0), Err(InspectionError::Defect));
    assert_eq!(ask(7), Ok(Arc::new(Doubled(14))));
    running.commands.send(Command::Resume).unwrap();
    while !matches!(next(&running), Event::Finished(Outcome::Completed(_))) {}
}
