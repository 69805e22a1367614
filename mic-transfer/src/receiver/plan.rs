//! Which chunk next: first image of each series first, a click before all.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::manifest::first_images;
use crate::wire::CLASSES;
use crate::{Manifest, RangeSet, Run};

/// How urgent a study is as a whole.
///
/// Images of a study that a doctor waits for go by their class: first and key images, every eighth,
/// the rest. Those of prior studies and of preload come after, in that order (XFR-60).
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Somebody waits for it.
    #[default]
    Waiting,
    /// A prior study of a patient who is here.
    Prior,
    /// Fetched ahead on speculation.
    Preload,
}

/// The class of a click.
pub(super) const CLICK: usize = 0;

/// Chunks still to be asked for, in order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Neither held nor asked for.
    missing: RangeSet,
    /// Instances by class; one with nothing missing is passed over.
    lanes: [VecDeque<u32>; CLASSES],
    home: Vec<u8>,
}

impl Plan {
    pub(super) fn new(manifest: &Manifest, missing: RangeSet, priority: Priority) -> Self {
        let home = classes(manifest, priority);
        let mut lanes: [VecDeque<u32>; CLASSES] = Default::default();
        for (instance, class) in (0_u32..).zip(&home) {
            if let Some(lane) = lanes.get_mut(usize::from(*class)) {
                lane.push_back(instance);
            }
        }
        Self {
            missing,
            lanes,
            home,
        }
    }

    /// The next run at `class`, within one instance and at most `most` chunks.
    pub(super) fn take(&mut self, manifest: &Manifest, class: usize, most: u32) -> Option<Run> {
        let lane = self.lanes.get_mut(class)?;
        while let Some(instance) = lane.front() {
            let bounds = manifest.chunks_of(*instance)?;
            if let Some(run) = self.missing.first_within(bounds, most) {
                self.missing.remove(run);
                return Some(run);
            }
            lane.pop_front();
        }
        None
    }

    /// Whether something is left to ask for at `class`.
    pub(super) fn has(&mut self, manifest: &Manifest, class: usize) -> bool {
        let Some(lane) = self.lanes.get_mut(class) else {
            return false;
        };
        while let Some(instance) = lane.front() {
            let bounds = manifest.chunks_of(*instance);
            if bounds.is_some_and(|bounds| self.missing.first_within(bounds, 1).is_some()) {
                return true;
            }
            lane.pop_front();
        }
        false
    }

    /// Asked for and not come: to be asked for again, at the front.
    pub(super) fn give_back(&mut self, manifest: &Manifest, chunk: u32) {
        let (Some(run), Some(place)) = (Run::new(chunk, 1), manifest.place(chunk)) else {
            return;
        };
        self.missing.insert(run);
        let class = self
            .home
            .get(place.instance() as usize)
            .copied()
            .unwrap_or(0);
        if let Some(lane) = self.lanes.get_mut(usize::from(class)) {
            if lane.front() != Some(&place.instance()) {
                lane.push_front(place.instance());
            }
        }
    }

    /// It is here after all.
    pub(super) fn drop_chunk(&mut self, chunk: u32) {
        if let Some(run) = Run::new(chunk, 1) {
            self.missing.remove(run);
        }
    }

    /// A click: the instance comes before all.
    pub(super) fn click(&mut self, instance: u32) {
        if let Some(class) = self.home.get_mut(instance as usize) {
            *class = CLICK as u8;
        }
        if let Some(lane) = self.lanes.get_mut(CLICK) {
            lane.push_front(instance);
        }
    }
}

/// The class of each instance.
fn classes(manifest: &Manifest, priority: Priority) -> Vec<u8> {
    let instances = manifest.instances();
    let all = |class| instances.iter().map(|_| class).collect();
    match priority {
        Priority::Prior => return all(4),
        Priority::Preload => return all(5),
        Priority::Waiting => {}
    }
    let mut classes: Vec<u8> = all(3);
    let mut series: BTreeMap<&crate::Uid, Vec<usize>> = BTreeMap::new();
    for (at, instance) in instances.iter().enumerate() {
        series.entry(instance.series()).or_default().push(at);
    }
    for mut shown in series.into_values() {
        // As shown, where the source says so; in transfer order otherwise.
        shown.sort_by_key(|at| instances.get(*at).and_then(crate::Instance::rank));
        for at in shown.into_iter().step_by(8) {
            if let Some(class) = classes.get_mut(at) {
                *class = 2;
            }
        }
    }
    for number in first_images(instances) {
        if let Some(class) = classes.get_mut(number as usize) {
            *class = 1;
        }
    }
    classes
}
