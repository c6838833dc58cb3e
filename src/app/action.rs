//! What the user can do, as values: panels emit them, [`super::state::State::handle`] applies them.

use super::arrangement::{Arrangement, Side, Workspace};
use super::begin::Beginning;
use super::choices::Choice;
use super::kernels::KernelSettings;
use super::lens::LensSettings;
use super::runs::Table;
use super::setting_field::SettingField;
use super::state::{PathPurpose, Switch};
use super::studying::OnRuns;
use super::sweeping::OnSweep;
use super::view_kind::ViewKind;
use std::path::PathBuf;
use strata_baselines::work::Request;
use strata_core::project::edit::Edit;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::node::Node;
use strata_core::project::{Network, Place};
use strata_engine::inspection::reply::AnyQuery;
use strata_export::bundle::Format;
use strata_inspect::augmented;
use strata_inspect::effective_field;
use strata_inspect::gallery;
use strata_inspect::inspection::Slice;
use strata_inspect::picture::FilterScale;
use strata_inspect::saliency;
use strata_inspect::statistics;

/// One thing the user did.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Changes the project.
    Edit(Edit),
    /// Adds a node at a place and selects it.
    Add(Place, Node),
    /// Adds the layers of a typed or pasted text at a place and selects the first.
    AddText(Place, String),
    /// Asks for a layer to put at a place; `None` ends it.
    AskLayer(Option<Place>),
    /// Puts the layers of a typed or pasted text in place of the node there.
    WriteText(Place, String),
    /// Moves a node before the one at the second place.
    Move(Place, Place),
    /// Puts the layers of a text after the selected node.
    Paste(String),
    /// Folds (true) or unfolds a block, or all of them.
    Fold(Option<Place>, bool),
    /// Changes the selected node.
    Selected(OnSelected),
    /// Selects a node, or nothing.
    Select(Option<Place>),
    /// Shows shapes as if this text were there, while it is typed; `None` ends it.
    Preview(Option<(Place, String)>),
    /// Shows shapes as if the network were this one, while a proposal is looked at; `None` ends it.
    PreviewNetwork(Option<Box<Network>>),
    /// Goes back one edit.
    Undo,
    /// Goes forward one edit.
    Redo,
    /// Lays something over the window, or takes it away.
    Overlay(Option<Overlay>),
    /// Shows the folder of the log in the system's file manager.
    ShowLogFolder,
    /// Takes the offered unsaved edits (true) or throws them away.
    Recover(bool),
    /// Shows the start page (true) or the project.
    Start(bool),
    /// Starts a project with no layers.
    New,
    /// Gives a project without layers a first small network.
    Begin(Beginning),
    /// Reads the images of a folder or file.
    DataFolder(PathBuf),
    /// Takes an image for the views of one image.
    Image(PathBuf),
    /// Opens a built-in project.
    Builtin(&'static str),
    /// Opens a project file or a run folder.
    Open(PathBuf),
    /// Asks for a path.
    AskPath(PathPurpose),
    /// Saves where the project came from, or asks where.
    Save,
    /// Saves here.
    SaveAs(PathBuf),
    /// Saves what a view shows as a PNG or SVG file.
    SavePicture(ViewKind, PathBuf),
    /// Copies what a view shows to the clipboard as a picture.
    CopyPicture(ViewKind),
    /// Makes the folder of the path that is asked for, and saves there.
    MakeFolder,
    /// Opens the system's dialog for the path that is asked for.
    Browse,
    /// Opens the system's dialog for the data's folder.
    BrowseDataFolder,
    /// Opens the system's dialog for a file that holds the data.
    BrowseDataFile,
    /// Closes the question for a path.
    CancelPath,
    /// Answers what to do with unsaved changes.
    Unsaved(Answer),
    /// Closes the window.
    Close,
    /// Starts a run with a copy of the project.
    Train,
    /// Goes on with the run that has ended, from its last checkpoint: with what is left of it, or with so many more epochs
    /// of its last stage.
    GoOn(Option<u32>),
    /// Trains the project as it is now in a new run whose layers begin with the weights of the run, where they fit or are
    /// wider. A run that is paused is stopped first.
    TrainFromRun,
    /// Begins a new run with what the run that has ended was at this checkpoint, and goes on with it.
    GoOnFrom(String),
    /// Waits after the current step.
    Pause,
    /// Continues.
    Resume,
    /// Takes so many steps, then waits.
    Steps(u64),
    /// Changes a setting of the stage in training, from its next step on.
    Adjust(LiveSetting, f64),
    /// Saves a checkpoint and ends the run.
    Stop,
    /// Writes the report of the run into its folder.
    Report,
    /// Writes the network of the run for another program, into the folder `export` of the run's.
    Export(Format),
    /// Trains the opened run again and compares (true), or ends that.
    Replay(bool),
    /// Chooses where to compute: `None` for the best there is.
    Device(Option<String>),
    /// Looks again which devices there are, and how much of each is free.
    LookForDevices,
    /// Changes how something is shown.
    Show(Show),
    /// Chooses something in a view.
    Choose(Choice),
    /// Asks for what a view shows.
    Inspect(AnyQuery),
    /// Ends the reading of images for a view.
    CancelReading,
    /// Reads images again after that failed or was cancelled.
    ReadAgain,
    /// Opens the system's dialog for an image to look at.
    BrowseImage,
    /// Downloads the files of the project's source (true), or ends that.
    Fetch(bool),
    /// Looks whether the files of the project's source are where they are to be.
    LookForFiles,
    /// Unpacks the archive that the data's path names (true), or ends that.
    Unpack(bool),
    /// Gives the network the input and the head that the images need.
    FitNetwork,
    /// Reads the list of runs.
    ListRuns,
    /// Lists a run or the runs of a folder beside those of the project.
    AddRuns(PathBuf),
    /// Notes something of the run in this folder.
    NoteRun(PathBuf, String),
    /// Makes baselines of the project, or ends those on their way.
    Baselines(Option<Request>),
    /// Does something with the runs of a project that has several.
    Runs(OnRuns),
    /// Keeps the author's own words for the report of the runs.
    ReportWords(String),
    /// Compares the runs and baselines that are chosen (true), or ends that.
    Compare(bool),
    /// Trains the sweep of the project, ends that, or looks for what is there of it.
    Sweep(OnSweep),
    /// Moves, opens or closes a view of the centre.
    View(OnView),
    /// Takes a message away: it was read.
    Dismiss(u64),
}

/// What is shown over the window for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlay {
    /// Everything by name.
    Palette,
    /// The keys.
    Keys,
    /// What a view shows, and how it is used.
    Page(ViewKind),
    /// Version, machine and log.
    About,
    /// What was pasted last, with the lines that were not understood.
    Pasted,
}

/// A change of the selected node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSelected {
    /// Deletes it.
    Delete,
    /// Puts a copy after it.
    Duplicate,
    /// Swaps it with the one before.
    Up,
    /// Swaps it with the one after.
    Down,
}

/// A change of the views of the centre.
#[derive(Clone, Debug, PartialEq)]
pub enum OnView {
    /// Opens a view with the views around another, or brings it to the front.
    Open(ViewKind, Option<ViewKind>),
    /// Closes it.
    Close(ViewKind),
    /// Gives it a pane of its own.
    Split(ViewKind, Side),
    /// Takes over what was moved or resized by hand.
    Arrange(Arrangement),
    /// Opens the view that was closed last.
    Reopen,
    /// Gives the arrangement a name.
    Keep(String),
    /// Takes back the arrangement of this name.
    Recall(String),
    /// Takes the name of an arrangement away.
    Forget(String),
    /// Back to the usual arrangement.
    Reset,
    /// Back to the usual arrangements, widths, folds, switches and theme.
    ResetAll,
}

/// What to do with unsaved changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Save them, then continue.
    Save,
    /// Continue without them.
    Discard,
    /// Stay.
    Cancel,
}

/// How something is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Show {
    /// Dark (true) or light.
    Dark(bool),
    /// The views of the design or of the training.
    Workspace(Workspace),
    /// A logarithmic loss axis.
    LogLoss(bool),
    /// Plots against epochs (true) or steps.
    ByEpoch(bool),
    /// What the weights' colours are measured against.
    FilterScale(FilterScale),
    /// The decoder's filters (true) or the first layer's.
    DecoderFilters(bool),
    /// The stage whose settings are open.
    Stage(Option<usize>),
    /// The layers (true), or more room for the views.
    Layers(bool),
    /// The settings (true), or more room for the views.
    Settings(bool),
    /// What saliency is shown of.
    Saliency(saliency::Request),
    /// The position whose receptive field is shown; `None` for the middle one.
    Cell(Option<effective_field::Request>),
    /// How the lens is set.
    Lens(LensSettings),
    /// How the playground for kernels is set.
    Kernels(Box<KernelSettings>),
    /// Which images are shown.
    Images(gallery::Request),
    /// Which slice of volumes is shown; `None` for the middle one.
    Slice(Slice),
    /// How many images the statistics are of.
    Measure(statistics::Request),
    /// Which image is augmented, and which draws are shown.
    Augmented(augmented::Request),
    /// Looks back at the weights after this step, in all views; `None`: at the newest.
    At(Option<u64>),
    /// Show the change since that step, or the weights of then.
    Change(bool),
    /// Whether a run is in the plot of runs.
    Run(PathBuf, bool),
    /// Whether a run or baseline is chosen to be compared.
    Compared(PathBuf, bool),
    /// Draws the runs whose losses have this meaning.
    RunsOf(String),
    /// How the table of runs is shown.
    RunsTable(Table),
    /// A field of the settings, which takes the keyboard.
    Field(SettingField),
    /// A switch that nothing but a view depends on.
    Switch(Switch),
}
