//! A typed line becomes a form, or a question.

use super::super::schema::{Field, Kind, Schema};
use super::super::spot::Area;
use super::super::value::{Value, Values};
use super::super::{Form, FormError};
use super::question::Question;
use super::scan::Scan;
use super::values::{ValueReader, spot_begins};
use super::words::{Means, Slot, Words};
use std::collections::BTreeSet;

/// What has been read of a line so far.
#[derive(Debug)]
pub(super) struct LineReader<'a> {
    scan: Scan,
    words: Words,
    schema: &'static Schema,
    area: &'a Area,
    values: Values,
    /// Fields that were typed, known or not.
    typed: BTreeSet<&'static str>,
    /// Whether bare values still are in the order of the form's line, and which comes next.
    in_order: bool,
    next: usize,
    rows: Vec<Values>,
    row: Option<OpenRow>,
}

/// The row that is being typed.
#[derive(Debug, Default)]
struct OpenRow {
    values: Values,
    typed: BTreeSet<&'static str>,
    /// The field that a bare value means; `None` when it is not clear any more.
    next: Option<usize>,
    /// Whether a bare number may cling to the word before it (帐篷200).
    clings: bool,
    /// Whether nothing in it had a code.
    bare: bool,
}

impl<'a> LineReader<'a> {
    pub(super) fn new(schema: &'static Schema, scan: Scan, area: &'a Area) -> Self {
        Self {
            words: Words::of(schema, area),
            scan,
            schema,
            area,
            values: Values::new(),
            typed: BTreeSet::new(),
            in_order: true,
            next: 0,
            rows: Vec::new(),
            row: None,
        }
    }

    pub(super) fn read(mut self) -> Result<Form, Question> {
        let mut note = String::new();
        let mut first = true;
        loop {
            let parted = self.part()? || first;
            first = false;
            if self.scan.ended() {
                break;
            }
            if let Some((Means::Note, len)) = self.words.at(&self.scan) {
                self.scan.step(len);
                self.scan.eat_char(':');
                note = self.scan.typed_rest();
                break;
            }
            self.token(parted)?;
        }
        self.end_row()?;
        self.finish(&note)
    }

    /// Steps over separators and ends the row where one of them says so; whether there was any.
    fn part(&mut self) -> Result<bool, Question> {
        let from = self.scan.at();
        let clung = self.scan.is_between_digits('/');
        if self.scan.is_thousands() {
            let found = self.scan.typed_around(from);
            return Err(Question::new(None, &format!("“{found}”不清：数字里不写逗号，两个数用空格隔开")));
        }
        let (parted, row_parted) = self.scan.skip();
        if row_parted && self.rows_field().is_some() {
            if clung {
                let found = self.scan.typed_around(from);
                return Err(Question::new(None, &format!("“{found}”不清：同一行用空格隔开，各行之间用空格/空格")));
            }
            self.end_row()?;
        }
        Ok(parted)
    }

    fn token(&mut self, parted: bool) -> Result<(), Question> {
        if let Some(field) = self.expected()
            && self.begins(field)
        {
            return self.bare(parted);
        }
        match self.words.at(&self.scan) {
            Some((Means::NotKnown, _)) => self.bare(parted),
            Some((Means::Note, _)) => Ok(()),
            Some((Means::Field(slot), len)) => {
                self.scan.step(len);
                self.scan.skip();
                self.coded(slot)
            }
            Some((Means::Value(slot), _)) => self.coded(slot),
            Some((Means::Choice(slot, at), len)) => {
                self.scan.step(len);
                self.chosen(slot, at)
            }
            Some((Means::Flag(slot, yes), len)) => {
                self.scan.step(len);
                self.out_of_order();
                self.put(slot.field, Some(Value::Flag(yes)))
            }
            Some((Means::Place(slot, number), len)) => {
                self.scan.step(len);
                self.out_of_order();
                self.put(slot.field, Some(Value::Place(number)))
            }
            None if self.scan.at_number() => self.bare(parted),
            None => Err(Question::word(&self.scan.typed_word())),
        }
    }

    /// The field of the form that a bare value would mean.
    fn expected(&self) -> Option<&'static Field> {
        let only = self.schema.line.len() == 1;
        let name = self.schema.line.get(self.next).filter(|_| self.in_order || only)?;
        self.schema.field(name)
    }

    /// Whether a value that may begin with letters stands here for the field whose turn it is.
    fn begins(&self, field: &'static Field) -> bool {
        match field.kind {
            Kind::Position { .. } => spot_begins(&self.scan),
            Kind::Reference {} => {
                let mut ahead = self.scan.clone();
                ahead.letters_and_digits().is_some_and(|word| word.parse::<crate::message::MessageId>().is_ok())
            }
            _ => false,
        }
    }

    fn rows_field(&self) -> Option<&'static Field> {
        self.schema.fields.iter().find(|field| matches!(field.kind, Kind::Rows { .. }))
    }

    fn out_of_order(&mut self) {
        self.in_order = false;
        if let Some(row) = &mut self.row {
            row.next = None;
        }
    }

    /// A value without a code.
    fn bare(&mut self, parted: bool) -> Result<(), Question> {
        let found = self.scan.typed_word();
        let which = || Question::which(&found, &self.schema.fields);
        let expected = self.expected().filter(|_| self.row.is_none());
        let rows =
            self.rows_field().filter(|rows| self.row.is_some() || expected.is_some_and(|e| std::ptr::eq(e, *rows)));
        if let Some(rows) = rows {
            return self.bare_in_row(rows.row_fields(), parted, &found);
        }
        if !self.in_order {
            return Err(which());
        }
        let Some(field) = expected else {
            let count = self.schema.line.len();
            return Err(Question::new(None, &format!("“{found}”多出来了：按顺序只有{count}项，其余写代号")));
        };
        if !parted {
            return Err(which());
        }
        let value = self.value(field)?;
        self.next += 1;
        self.put(field, value)
    }

    fn bare_in_row(&mut self, fields: &'static [Field], parted: bool, found: &str) -> Result<(), Question> {
        let first = fields.first().filter(|first| self.begins_row(first));
        let clings = self.row.as_ref().is_some_and(|row| row.clings);
        if !parted && !clings {
            return Err(Question::which(found, fields));
        }
        if first.is_some() || self.row.is_none() {
            self.begin_row()?;
        }
        let at = self.row.as_ref().and_then(|row| row.next).ok_or_else(|| Question::which(found, fields))?;
        let Some(field) = fields.get(at) else {
            return Err(Question::new(None, &format!("“{}”多出来了：各行之间请用空格/空格隔开", found)));
        };
        let value = self.value(field)?;
        self.put_in_row(Slot { field, in_row: Some(at) }, value)
    }

    /// Whether a number stands here in the unit of a row's first field (2号点).
    fn begins_row(&self, first: &'static Field) -> bool {
        let mut ahead = self.scan.clone();
        let units = first.units().iter().map(String::as_str);
        ahead.number().is_some()
            && ahead.eat(units).is_some()
            && self.row.as_ref().is_some_and(|r| !r.values.is_empty())
    }

    /// A value after its code.
    fn coded(&mut self, slot: Slot) -> Result<(), Question> {
        let value = self.value(slot.field)?;
        match slot.in_row {
            None => {
                self.out_of_order();
                self.put(slot.field, value)
            }
            Some(at) => {
                self.open_row_for(slot, at)?;
                self.put_in_row(slot, value)?;
                self.row.iter_mut().for_each(|row| row.bare = false);
                Ok(())
            }
        }
    }

    /// A word that is a value by itself.
    fn chosen(&mut self, slot: Slot, at: u8) -> Result<(), Question> {
        let value = Some(Value::Choice(at));
        if let Some(place) = slot.in_row {
            self.open_row_for(slot, place)?;
            self.put_in_row(slot, value)?;
            if let Some(row) = &mut self.row {
                row.clings = true;
            }
            return Ok(());
        }
        if self.row.is_none() && self.expected().is_some_and(|field| std::ptr::eq(field, slot.field)) {
            self.next += 1;
        } else {
            self.out_of_order();
        }
        self.put(slot.field, value)
    }

    fn value(&mut self, field: &'static Field) -> Result<Option<Value>, Question> {
        let counted = self.row.as_ref().and_then(|row| {
            let first = self.rows_field()?.row_fields().first()?;
            let Some(Value::Choice(at)) = row.values.get(first.name.as_str()) else { return None };
            let choice = first.choices().get(usize::from(*at))?;
            Some((choice.zh.as_str(), choice.unit.as_deref()?))
        });
        let reader = ValueReader { words: &self.words, area: self.area, counted };
        reader.read(&mut self.scan, field)
    }

    fn put(&mut self, field: &'static Field, value: Option<Value>) -> Result<(), Question> {
        if !self.typed.insert(&field.name) {
            return Err(Question::twice(field));
        }
        if let Some(value) = value {
            let value = field.accept(value).map_err(|error| self.ask(&error))?;
            self.values.insert(&field.name, value);
        }
        Ok(())
    }

    /// The first field of a row begins a new one; the others need one that was begun.
    fn open_row_for(&mut self, slot: Slot, at: usize) -> Result<(), Question> {
        if at == 0 {
            return self.begin_row();
        }
        let first = self.rows_field().and_then(|rows| rows.row_fields().first());
        match (&self.row, first) {
            (None, Some(first)) => {
                let text = format!("{}是哪个{1}的？请先写{1}", slot.field.zh, first.zh);
                Err(Question::new(Some(slot.field), &text))
            }
            _ => Ok(()),
        }
    }

    fn begin_row(&mut self) -> Result<(), Question> {
        self.end_row()?;
        self.row = Some(OpenRow { next: Some(0), bare: true, ..OpenRow::default() });
        Ok(())
    }

    fn put_in_row(&mut self, slot: Slot, value: Option<Value>) -> Result<(), Question> {
        let value = value.map(|value| slot.field.accept(value)).transpose().map_err(|error| self.ask(&error))?;
        let Some(row) = &mut self.row else { return Ok(()) };
        if !row.typed.insert(&slot.field.name) {
            return Err(Question::twice(slot.field));
        }
        if let Some(value) = value {
            row.values.insert(&slot.field.name, value);
        }
        row.clings = false;
        row.next = if row.next == slot.in_row { slot.in_row.map(|at| at + 1) } else { None };
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Question> {
        let Some(row) = self.row.take() else { return Ok(()) };
        let fields = self.rows_field().map_or(&[][..], Field::row_fields);
        let all = fields.len();
        // One that must be given is asked for by its name.
        let unsure = fields.iter().all(|field| field.may_be_absent() || row.typed.contains(field.name.as_str()));
        if row.bare && unsure && row.typed.len() < all {
            let text = format!("第{}行要写全{all}项，只有{}项；不知道的写?", self.rows.len() + 1, row.typed.len());
            return Err(Question::new(self.rows_field(), &text));
        }
        self.rows.push(row.values);
        Ok(())
    }

    /// Bare values beyond the first few must be whole: one that was left out would shift the rest.
    fn check_whole(&self) -> Result<(), Question> {
        let all = self.schema.line.len();
        let typed = self.schema.line.iter().filter(|name| self.typed.contains(name.as_str())).count();
        if self.schema.line_least.is_some_and(|least| self.next > least) && typed < all {
            let text = format!("按顺序要写全{all}项，只有{typed}项；不知道的写?，或写代号");
            return Err(Question::new(None, &text));
        }
        Ok(())
    }

    fn finish(mut self, note: &str) -> Result<Form, Question> {
        self.check_whole()?;
        if let Some(rows) = self.rows_field()
            && !self.rows.is_empty()
        {
            let value = Value::Rows(std::mem::take(&mut self.rows));
            self.put(rows, Some(value))?;
        }
        let form = Form::filled(self.schema, std::mem::take(&mut self.values));
        let mut form = form.map_err(|error| self.ask(&error))?;
        form.set_note(note).map_err(|error| self.ask(&error))?;
        Ok(form)
    }

    /// What to ask for a form that cannot be.
    fn ask(&self, error: &FormError) -> Question {
        let field = |name: &str| {
            let mut all = self.schema.fields.iter().flat_map(|field| std::iter::once(field).chain(field.row_fields()));
            all.find(|field| field.name == name)
        };
        let label = |name: &str| field(name).map_or_else(String::new, |field| field.zh.clone());
        match error {
            FormError::Missing { field: name } => field(name).map(Question::missing),
            FormError::Range { field: name, found, .. } | FormError::Between { field: name, found } => {
                field(name).map(|field| Question::range(field, &found.to_string()))
            }
            FormError::MoreThanWhole { field: name, found, whole } => {
                let text = format!("{}{found}多于总数{whole}，请核对后重发", label(name));
                Some(Question::new(field(name), &text))
            }
            FormError::Change { field: name, now, by } => {
                let text = format!("{}现在{now}，不可能比上次多{by}，请核对后重发", label(name));
                Some(Question::new(field(name), &text))
            }
            FormError::FirstReport { field: name } => {
                Some(Question::new(field(name), &format!("首报没有增减，{}只写现在的数字", label(name))))
            }
            FormError::RowTwice { field: name } => field(name).map(Question::twice),
            FormError::Rows { field: name, max, .. } => {
                Some(Question::new(field(name), &format!("{}最多{max}行，请分两条发", label(name))))
            }
            FormError::Note { max, .. } => Some(Question::new(None, &format!("说明最多{max}字，请分开发"))),
            FormError::Kind { field: name, .. }
            | FormError::Spot { field: name }
            | FormError::Time { field: name, .. } => field(name).map(|field| Question::unclear(field, "")),
            FormError::UnknownField(_) | FormError::UnknownForm(_) => None,
        }
        .unwrap_or_else(|| Question::new(None, "这条表单不清，请重发"))
    }
}
