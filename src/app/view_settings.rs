//! How things are shown: switches, widths and choices that are no part of a project.

use crate::arrangement::Workspace;
use crate::curves::{Quantity, SMOOTHING};
use crate::lens::LensSettings;
pub use crate::side_tab::SideTab;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use strata_core::format;
use strata_core::project::data::Split;
use strata_inspect::gallery::{self, Part};
use strata_inspect::picture::FilterScale;
use strata_inspect::saliency::{self, Question};

/// How wide the architecture can be, in points.
pub const ARCHITECTURE_WIDTHS: RangeInclusive<f32> = 360.0..=560.0;
/// How wide the settings can be.
pub const SETTINGS_WIDTHS: RangeInclusive<f32> = 240.0..=420.0;
/// How much larger everything can be drawn at the next start.
const ZOOMS: RangeInclusive<f32> = 0.5..=3.0;
/// Over how many steps curves can be smoothed.
pub const SMOOTHINGS: RangeInclusive<u32> = 1..=1000;
/// Positions of the lens in a second, at most.
const MOST_PACE: u32 = 30;

/// How things are shown; no part of the project. A field is remembered until the next start unless it
/// is skipped here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewSettings {
    /// Dark or light; `None` follows the system.
    pub dark: Option<bool>,
    /// Whether the window is dark now, whoever chose that.
    #[serde(skip)]
    pub looks_dark: bool,
    /// Which views are seen: those of the design or those of the training.
    pub workspace: Workspace,
    /// A logarithmic loss axis.
    pub log_loss: bool,
    /// Plots against epochs instead of steps.
    pub by_epoch: bool,
    /// Steps that curves are smoothed over at most; 1 smooths nothing.
    pub smoothing: u32,
    /// Whether pictures are saved on a light background whatever the window has.
    pub light_pictures: bool,
    /// Whether runs keep the weights of earlier steps to look back at.
    pub keeps_snapshots: bool,
    /// By which quantity runs are compared.
    pub runs_quantity: Quantity,
    /// What the weights' colours are measured against.
    pub filter_scale: FilterScale,
    /// The decoder's filters, instead of the first layer's.
    pub decoder_filters: bool,
    /// How the lens is set.
    pub lens: LensSettings,
    /// The stage whose settings are open.
    pub stage: Option<usize>,
    /// What the panel on the right shows.
    pub side_tab: SideTab,
    /// Whether the layers are shown; `None`: where there is room for them beside the views.
    pub layers: Option<bool>,
    /// Whether the settings are shown; `None`: where there is room for them.
    pub settings: Option<bool>,
    /// The groups of settings that are unfolded, by their titles.
    pub open_groups: BTreeSet<String>,
    /// Width of the architecture in points; `None` for the usual one.
    pub architecture_width: Option<f32>,
    /// Width of the settings in points; `None` for the usual one.
    pub settings_width: Option<f32>,
    /// How much larger than usual everything is drawn (Ctrl and + or −).
    pub zoom: f32,
    /// The size that the window is to take on.
    #[serde(skip)]
    pub wanted_zoom: Option<f32>,
    /// Whether the images are shown by class, instead of all in one grid.
    pub images_by_class: bool,
    /// The split whose images are shown; `None` for the first there is.
    pub images_split: Option<Split>,
    /// The split whose statistics are shown; `None` for the first there is.
    pub statistics_split: Option<Split>,
    /// The number whose gradient is shown as saliency, where the project has a choice.
    pub saliency: Option<Question>,
    /// Whether the effective receptive field is drawn over the image.
    pub effective_field: bool,
    /// The one column of the cost where there is no room for all.
    pub cost_column: CostColumn,
    /// Whether the cost shows what was measured of the network, where it was.
    pub cost_measured: bool,
    /// The axis whose valid sizes are shown, where they differ.
    pub sizes_axis: usize,
    /// Whether the window is too narrow for everything.
    #[serde(skip)]
    pub narrow: bool,
    /// Whether it is too narrow for two panels, as at a presentation size on a small projector: either the layers or the
    /// settings are beside the views.
    #[serde(skip)]
    pub tight: bool,
    /// Rises with every return to the usual panel widths, so that they are not those of before.
    #[serde(skip)]
    pub resets: u64,
}

/// A column of the table of costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostColumn {
    /// Trained numbers.
    #[default]
    Parameters,
    /// Multiply-accumulates for one image.
    Macs,
    /// Bytes in a training step.
    Memory,
    /// Seconds of a training step.
    Time,
    /// Measured seconds of the forward pass.
    Forward,
    /// Measured seconds of the gradients.
    Backward,
    /// Measured seconds of the update.
    Update,
    /// Measured GFLOP/s.
    Arithmetic,
    /// Measured GB/s.
    Traffic,
}

/// Larger numbers of parameters are written in millions.
const LARGEST: u64 = 9_999_999;

impl CostColumn {
    /// What follows from the shapes, in the order of the table.
    pub const PREDICTED: [CostColumn; 4] = [
        CostColumn::Parameters,
        CostColumn::Macs,
        CostColumn::Memory,
        CostColumn::Time,
    ];

    /// What is measured, in the order of the table.
    pub const MEASURED: [CostColumn; 5] = [
        CostColumn::Forward,
        CostColumn::Backward,
        CostColumn::Update,
        CostColumn::Arithmetic,
        CostColumn::Traffic,
    ];

    /// Whether it is measured.
    pub fn is_measured(self) -> bool {
        CostColumn::MEASURED.contains(&self)
    }

    /// What it is called in the table.
    pub fn name(self) -> &'static str {
        match self {
            CostColumn::Parameters => "parameters",
            CostColumn::Macs => "MACs",
            CostColumn::Memory => "memory",
            CostColumn::Time => "time",
            CostColumn::Forward => "forward",
            CostColumn::Backward => "backward",
            CostColumn::Update => "update",
            CostColumn::Arithmetic => "GFLOP/s",
            CostColumn::Traffic => "GB/s",
        }
    }

    /// What it counts.
    pub fn about(self) -> &'static str {
        match self {
            CostColumn::Parameters => "Numbers that training changes: weights and biases.",
            CostColumn::Macs => {
                "Multiply-accumulates for one image, forward; biases are not counted. 1 MAC = 2 FLOPs."
            }
            CostColumn::Memory => {
                "What the layer holds in a training step with this batch: weights, gradients, the optimizer's memory, outputs for the batch, scratch."
            }
            CostColumn::Time => {
                "Estimated time of the layer in a training step, forward and backward, from what a few kernels took on this machine."
            }
            CostColumn::Forward => "Measured time of the layer's forward pass in a training step.",
            CostColumn::Backward => {
                "Measured time of the gradients of the layer's weights and input in a training step."
            }
            CostColumn::Update => {
                "Measured time in which the optimizer changes the layer's weights."
            }
            CostColumn::Arithmetic => {
                "Arithmetic of both passes in a second, 2 FLOPs for each MAC of the layer's formula. A 3×3 window that is computed with fewer multiplications can be above what a matrix product reaches."
            }
            CostColumn::Traffic => {
                "Bytes of input, output, weights, gradients and the optimizer's numbers in a second. From the caches they come faster than from memory."
            }
        }
    }

    /// A value as it is written; empty where there is nothing to write.
    pub fn write(self, value: f64) -> String {
        if value <= 0.0 {
            return String::new();
        }
        let whole = value as u64;
        match self {
            CostColumn::Parameters if whole > LARGEST => format::large(whole),
            CostColumn::Parameters => format::count(whole),
            CostColumn::Macs => format::large(whole),
            CostColumn::Memory => format::bytes(whole),
            CostColumn::Time | CostColumn::Forward | CostColumn::Backward | CostColumn::Update => {
                format::milliseconds(1e3 * value)
            }
            CostColumn::Arithmetic | CostColumn::Traffic => format::rate(value),
        }
    }
}

/// A change of a setting that nothing but a view depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Switch {
    /// Unfolds (true) or folds the group of settings with this title.
    Group(&'static str, bool),
    /// What the panel on the right shows.
    SideTab(SideTab),
    /// The width of the architecture in points.
    ArchitectureWidth(f32),
    /// The width of the settings in points.
    SettingsWidth(f32),
    /// The split whose statistics are shown.
    StatisticsSplit(Split),
    /// Whether the effective receptive field is drawn over the image.
    EffectiveField(bool),
    /// The one column of the cost where there is no room for all.
    CostColumn(CostColumn),
    /// Whether the cost shows what was measured.
    CostMeasured(bool),
    /// The axis whose valid sizes are shown.
    SizesAxis(usize),
    /// By which quantity runs are compared.
    RunsQuantity(Quantity),
    /// Steps that curves are smoothed over at most.
    Smoothing(u32),
    /// Whether pictures are saved on a light background whatever the window has.
    LightPictures(bool),
    /// Whether runs keep the weights of earlier steps to look back at.
    KeepsSnapshots(bool),
    /// How much larger than usual everything is drawn.
    Zoom(f32),
}

impl Switch {
    /// The groups of the settings of the images, by their titles.
    pub const GROUPS_OF_DATA: [&'static str; 4] = ["Files", "Pixels", "Signals", "Splits"];
}

impl Default for ViewSettings {
    fn default() -> ViewSettings {
        ViewSettings {
            dark: None,
            looks_dark: true,
            workspace: Workspace::default(),
            log_loss: true,
            by_epoch: false,
            smoothing: SMOOTHING,
            light_pictures: false,
            keeps_snapshots: true,
            runs_quantity: Quantity::default(),
            filter_scale: FilterScale::default(),
            decoder_filters: false,
            lens: LensSettings::default(),
            stage: Some(0),
            side_tab: SideTab::default(),
            layers: None,
            settings: None,
            open_groups: BTreeSet::new(),
            architecture_width: None,
            settings_width: None,
            zoom: 1.0,
            wanted_zoom: None,
            images_by_class: true,
            images_split: None,
            statistics_split: None,
            saliency: None,
            effective_field: true,
            cost_column: CostColumn::default(),
            cost_measured: true,
            sizes_axis: 0,
            narrow: false,
            tight: false,
            resets: 0,
        }
    }
}

impl ViewSettings {
    pub(crate) fn set(&mut self, switch: Switch) {
        match switch {
            Switch::Group(title, true) => {
                self.open_groups.insert(title.to_owned());
                // Who opens a group elsewhere wants to see its fields.
                if Switch::GROUPS_OF_DATA.contains(&title) {
                    self.side_tab = SideTab::Data;
                }
            }
            Switch::Group(title, false) => {
                self.open_groups.remove(title);
            }
            Switch::SideTab(tab) => self.side_tab = tab,
            Switch::ArchitectureWidth(width) => self.architecture_width = Some(width),
            Switch::SettingsWidth(width) => self.settings_width = Some(width),
            Switch::StatisticsSplit(split) => self.statistics_split = Some(split),
            Switch::EffectiveField(shown) => self.effective_field = shown,
            Switch::CostColumn(column) => self.cost_column = column,
            Switch::CostMeasured(measured) => self.cost_measured = measured,
            Switch::SizesAxis(axis) => self.sizes_axis = axis,
            Switch::RunsQuantity(quantity) => self.runs_quantity = quantity,
            Switch::Smoothing(steps) => self.smoothing = steps,
            Switch::Zoom(zoom) => self.wanted_zoom = Some(zoom),
            Switch::LightPictures(light) => self.light_pictures = light,
            Switch::KeepsSnapshots(keeps) => self.keeps_snapshots = keeps,
        }
    }

    /// The usual settings, in the workspace and at the zoom that the user is in.
    pub(crate) fn reset(&self) -> ViewSettings {
        ViewSettings {
            workspace: self.workspace,
            zoom: self.zoom,
            narrow: self.narrow,
            tight: self.tight,
            looks_dark: self.looks_dark,
            resets: self.resets + 1,
            ..ViewSettings::default()
        }
    }

    /// The same with values that can be shown: a file may hold anything, and a diverged network has
    /// weights that are no numbers.
    #[must_use]
    pub fn sound(mut self) -> ViewSettings {
        let within = |width: Option<f32>, widths: RangeInclusive<f32>| {
            let width = width.filter(|width| width.is_finite());
            width.map(|width| width.clamp(*widths.start(), *widths.end()))
        };
        self.architecture_width = within(self.architecture_width, ARCHITECTURE_WIDTHS);
        self.settings_width = within(self.settings_width, SETTINGS_WIDTHS);
        self.zoom = within(Some(self.zoom), ZOOMS).unwrap_or(1.0);
        if let FilterScale::Fixed(limit) = self.filter_scale
            && !(limit.is_finite() && limit > 0.0)
        {
            self.filter_scale = FilterScale::default();
        }
        self.smoothing = self.smoothing.clamp(*SMOOTHINGS.start(), *SMOOTHINGS.end());
        self.saliency = without_class(self.saliency);
        self.lens.pace = self.lens.pace.clamp(1, MOST_PACE);
        self
    }

    /// The images that are shown first of a project.
    pub fn first_images(&self) -> gallery::Request {
        let all = Part::Block {
            class: None,
            block: 0,
        };
        gallery::Request {
            split: self.images_split,
            part: if self.images_by_class {
                Part::default()
            } else {
                all
            },
        }
    }

    /// Keeps what holds for any project of a choice of images.
    pub(crate) fn remember_images(&mut self, request: &gallery::Request) {
        self.images_split = request.split;
        self.images_by_class = matches!(request.part, Part::Page(_));
    }

    /// Keeps what holds for any project of a choice of saliency.
    pub(crate) fn remember_saliency(&mut self, request: &saliency::Request) {
        self.saliency = without_class(request.question);
    }
}

/// The classes and the units of one project are not those of another.
fn without_class(question: Option<Question>) -> Option<Question> {
    question.filter(|question| !matches!(question, Question::Class(_) | Question::Unit(_)))
}
