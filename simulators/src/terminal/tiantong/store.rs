use std::collections::BTreeMap;
use yizhan_codecs::device::tiantong::wire::Pdu;

/// Memories of the phone: its own and the card's.
pub(super) const NAMES: [&str; 2] = ["ME", "SM"];

/// What the phone keeps: small, and full when it is full.
#[derive(Clone, Debug)]
pub(super) struct Store {
    size: u16,
    selected: usize,
    memories: [BTreeMap<u16, Kept>; 2],
}

#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) pdu: Pdu,
    pub(super) is_read: bool,
}

impl Store {
    pub(super) fn new(size: u16) -> Self {
        Self { size, selected: 0, memories: [BTreeMap::new(), BTreeMap::new()] }
    }

    pub(super) fn name(&self) -> &'static str {
        NAMES.get(self.selected).copied().unwrap_or_default()
    }

    pub(super) fn select(&mut self, name: &str) -> bool {
        let found = NAMES.iter().position(|known| *known == name);
        self.selected = found.unwrap_or(self.selected);
        found.is_some()
    }

    pub(super) fn kept(&mut self) -> &mut BTreeMap<u16, Kept> {
        let [own, card] = &mut self.memories;
        if self.selected == 0 { own } else { card }
    }

    fn len(&self) -> usize {
        self.memories.get(self.selected).map_or(0, BTreeMap::len)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= usize::from(self.size)
    }

    /// `used,size` as +CPMS writes it.
    pub(super) fn fill(&self) -> String {
        format!("{},{}", self.len(), self.size)
    }

    pub(super) const fn size(&self) -> u16 {
        self.size
    }

    /// In the first free place.
    pub(super) fn put(&mut self, pdu: Pdu) -> Option<u16> {
        let size = self.size;
        let kept = self.kept();
        let index = (1..=size).find(|index| !kept.contains_key(index))?;
        kept.insert(index, Kept { pdu, is_read: false });
        Some(index)
    }
}
