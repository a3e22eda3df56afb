//! What is played: a call for help, its relay, its answer, a pulled plug, a pulled power cord.

use super::DemoError;
use super::director::{Came, Director};
use super::ledger::Ledger;
use super::scene::{BEIDOU, LI_LEI, OWN, RESCUERS, roster};
use super::screen::Side;
use crate::terminal::Act;
use std::time::Duration;
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

const SOS: &str = "SOS 石门村桥断，18人被困，2人重伤";
const ANSWER: &str = "救援直升机40分钟后到，请转移到小学操场";
const WHILE_UNPLUGGED: &str = "操场请用白布摆出H字";
const WHILE_KILLED: &str = "医疗组同机，重伤员先上";
const AFTERWARDS: &str = "直升机已起飞，请点火堆示意";

/// Most of what should come comes within seconds; this much is for a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// A slot or two, and the way there and back.
const SLOTS: Duration = Duration::from_secs(45);

/// Plays the story to its end, or until the curtain falls.
pub(super) fn play(director: &mut Director<'_>) -> Result<(), DemoError> {
    let acts = [opening, call_for_help, answer, unplugged, killed, afterwards];
    for act in acts {
        let came = if director.is_over() { Came::Curtain } else { act(director)? };
        if came == Came::Curtain {
            director.cut_short = true;
            return director.say(Side::Note, "到了给定的时间，故事没有演完");
        }
        if came == Came::No {
            return Ok(());
        }
    }
    // What is still on its way may arrive.
    director.pass(Duration::from_secs(2))
}

fn opening(director: &mut Director<'_>) -> Result<Came, DemoError> {
    director.import_roster(&roster())?;
    director.say(
        Side::Officer,
        "导入名册：李雷（北斗手持机）、王芳和张强（370 兆电台）、陈静（自组网）、赵敏（卫星电话）；求救自动转给救援群",
    )?;
    let came = director.until("四条链路接通，读出北斗卡", SOON, |ledger| {
        ledger.cards.contains_key(BEIDOU) && ledger.links_up.values().filter(|up| **up).count() == OWN.len()
    })?;
    if came == Came::Yes {
        director.say(Side::Note, "刚开机不知道这张卡上次何时发过，先按“刚发过”算，等满一个频度再发")?;
    }
    Ok(came)
}

fn call_for_help(director: &mut Director<'_>) -> Result<Came, DemoError> {
    director.chapter("一、求救：北斗进来，转给 370 兆、自组网和天通")?;
    let command_post = TerminalId::from_number(Bearer::Beidou, super::scene::CARD);
    let to = Addressee::Terminal(command_post);
    director.rehearsal().act(LI_LEI, Act::Type { to, text: SOS.into() });
    director.until("求救存盘并转到四个人", SLOTS, |ledger| {
        let delivered = |told: &super::ledger::Told| told.deliveries.iter().filter(|d| d.rung == "delivered").count();
        ledger.by_text(SOS).is_some_and(|told| delivered(told) == RESCUERS.len())
            && RESCUERS.iter().all(|who| ledger.was_seen(who, "18人被困"))
    })
}

fn answer(director: &mut Director<'_>) -> Result<Came, DemoError> {
    director.chapter("二、答复：等卡的频度，等人的“收到”")?;
    let sos = director.ledger.by_text(SOS).map(|told| told.id.clone());
    let Some(id) = director.submit(ANSWER, "immediate", sos.as_deref())? else { return Ok(Came::No) };
    let came = director.until_slot("答复发上卫星", SLOTS, |ledger| is_radiated(ledger, &id))?;
    if came != Came::Yes {
        return Ok(came);
    }
    director
        .until("现场的人答复收到", SLOTS, |ledger| ledger.was_seen(LI_LEI, ANSWER) && ledger.is_answered(&id))
}

fn unplugged(director: &mut Director<'_>) -> Result<Came, DemoError> {
    director.chapter("三、拔线：北斗线被碰掉，又插回去")?;
    director.rehearsal().unplug(BEIDOU);
    director.say(Side::Fate, "北斗终端的线被碰掉了")?;
    let came = director.until("驿站发现断线", SOON, |ledger| ledger.links_up.get(BEIDOU) == Some(&false))?;
    if came != Came::Yes {
        return Ok(came);
    }
    let Some(id) = director.submit(WHILE_UNPLUGGED, "immediate", None)? else { return Ok(Came::No) };
    director.pass(Duration::from_secs(2))?;
    director.rehearsal().plug(BEIDOU);
    director.say(Side::Fate, "线插回去了")?;
    let came = director.until("驿站自己接回来", SOON, |ledger| ledger.links_up.get(BEIDOU) == Some(&true))?;
    if came != Came::Yes {
        return Ok(came);
    }
    director.until_slot("断线时受理的报文发上卫星", SLOTS, |ledger| is_radiated(ledger, &id))
}

fn killed(director: &mut Director<'_>) -> Result<Came, DemoError> {
    director.chapter("四、断电：正发到一半，程序被强行杀死")?;
    let Some(id) = director.submit(WHILE_KILLED, "immediate", None)? else { return Ok(Came::No) };
    // The antenna has it, the terminal has not said so yet: the worst moment.
    let came = director.until_slot("第二条报文交给终端", SLOTS, |ledger| {
        ledger.radiated.iter().any(|(who, text)| *who == BEIDOU && text.contains(WHILE_KILLED))
    })?;
    if came != Came::Yes {
        return Ok(came);
    }
    director.kill()?;
    director.say(Side::Fate, "kill -9：字节已出天线，终端还没回话，程序没了")?;
    director.pass(Duration::from_secs(1))?;
    director.start_again()?;
    director.say(Side::Note, "驿站重新启动，读回日志文件：受理过的、发过的都在")?;
    director.until_slot("断电时的报文由现场的人答复收到", SLOTS, |ledger| {
        ledger.crashed_attempts > 0 && ledger.was_seen(LI_LEI, WHILE_KILLED) && ledger.is_answered(&id)
    })
}

fn afterwards(director: &mut Director<'_>) -> Result<Came, DemoError> {
    director.chapter("五、照常：重启之后也不抢发")?;
    let Some(id) = director.submit(AFTERWARDS, "immediate", None)? else { return Ok(Came::No) };
    let came = director.until_slot("重启后的报文发上卫星", SLOTS, |ledger| is_radiated(ledger, &id))?;
    if came != Came::Yes {
        return Ok(came);
    }
    director.until("现场的人答复收到", SLOTS, |ledger| {
        ledger.was_seen(LI_LEI, AFTERWARDS) && ledger.is_answered(&id)
    })
}

fn is_radiated(ledger: &Ledger, id: &str) -> bool {
    let past = ["radiated", "repeated", "delivered", "read", "answered"];
    ledger.messages.get(id).is_some_and(|told| told.deliveries.iter().any(|d| past.contains(&d.rung.as_str())))
}
