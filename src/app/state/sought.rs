//! The field that the window leads to.

use super::State;
use crate::run_monitor::Phase;
use crate::setting_field::{SettingField, SoughtField};
use crate::side_tab::SideTab;
use strata_engine::event::Outcome;
use strata_engine::inspection::reply::InspectionError;
use strata_inspect::gallery::Gallery;

impl State {
    /// Unfolds a field and scrolls to it.
    pub(crate) fn lead_to(&mut self, field: SettingField, takes_keyboard: bool) {
        self.view.side_tab = field.tab;
        if let Some(group) = field.group {
            self.view.open_groups.insert(group.to_owned());
        }
        if field.tab == SideTab::Stages && self.view.stage.is_none() {
            self.view.stage = Some(0);
        }
        let number = self.sought.map_or(0, |before| before.number) + 1;
        self.sought = Some(SoughtField {
            field,
            takes_keyboard,
            number,
        });
    }

    /// The field that what failed is about: of the last run, or of the reading of the images.
    pub fn failed_field(&self) -> Option<SettingField> {
        if let Phase::Ended(Outcome::Failed(failure)) = &self.training.phase {
            return failure.repairs.iter().find_map(SettingField::mended_by);
        }
        let reply = self.inspections.latest::<Gallery>()?;
        match &reply.result {
            Err(InspectionError::Failed {
                repair: Some(repair),
                ..
            }) if reply.query.subject == self.image_set() => SettingField::mended_by(repair),
            _ => None,
        }
    }

    /// Leads to the field of what has just failed.
    pub(crate) fn lead_to_failed(&mut self, before: Option<SettingField>) {
        let failed = self.failed_field();
        if let Some(field) = failed.filter(|_| failed != before) {
            self.lead_to(field, false);
        }
    }
}
