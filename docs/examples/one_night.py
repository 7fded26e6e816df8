# %% [markdown]
# # One portal on the clock
#
# The recorded demo of this repository: six embedded portals, windows of a few seconds. Run the cells one by one from the repository's root, or
# all of them with `.venv/bin/python docs/examples/one_night.py`. The picture is written into the working directory as `one_night.png`.

# %%
import matplotlib.pyplot as plt

from harness import open_sweep

FOLDER = "tests/recorded/demo"  # your own: results/<sweep>
PORTAL = "collapsing"
LOCAL = "Asia/Ho_Chi_Minh"

sweep = open_sweep(FOLDER)
print(sweep, "workload", sweep.metadata.workload, "criteria", sweep.metadata.criteria)

# %% [markdown]
# ## How the portals compare
#
# Points with their interval and ranks, and the points that each portal lost under each heading.

# %%
print(sweep.scorecards()[["portal", "verdict", "points", "points_low", "points_high", "best_rank", "last_rank"]].to_string(index=False))
scores = sweep.scores().query("state == 'assessed'")
lost = scores.assign(lost=scores["points_max"] - scores["points"]).pivot_table("lost", "portal", "heading", "sum", observed=True)
print(lost.round(2).to_string())

# %% [markdown]
# ## What one portal did, window by window
#
# A step that failed took `inf`, so the median says when most steps of a window failed.

# %%
steps = sweep.steps(PORTAL).query("scored")
windows = sweep.windows(PORTAL).query("scored").set_index("window")
found = steps.groupby("window").agg(
    steps=("ok", "size"), well=("ok", "sum"), median_s=("took_s", lambda took_s: took_s.quantile(0.5, "higher"))
)
print(windows[["stage", "planned", "begun", "ended_well"]].join(found).round(3).to_string())

# %% [markdown]
# ## Where visits failed
#
# The last row of each visit says how it ended (`request` is -1). If a visit never began, its `start_utc` is `NaT`: too many citizens were in flight, or the load
# had been stopped.

# %%
visits = sweep.rows(PORTAL, ["window", "journey", "request", "outcome", "intended_utc", "start_utc"])
visits = visits[(visits["request"] == -1) & visits["window"].isin(windows.index)]
failed = visits[visits["outcome"] != "ok"]
print(
    failed.groupby(["journey", "outcome", failed["start_utc"].isna().rename("never begun")], observed=True)
    .size()
    .rename("visits")
    .to_string()
)

# %% [markdown]
# ## The picture
#
# Each mark is a step that ended well, at the moment when it was due. A cross above is a visit that failed, at its planned arrival. Bands are windows;
# visits in progress go on after the last one.


# %%
def clock(moments):
    """Clock times of Viet Nam, as matplotlib draws them."""
    return moments.dt.tz_convert(LOCAL).dt.tz_localize(None)


well = steps[steps["ok"]]
top = well["took_s"].max()
figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
for number, (begin, end) in enumerate(zip(clock(windows["begin_utc"]), clock(windows["end_utc"]), strict=True)):
    axes.axvspan(begin, end, color="0.95" if number % 2 else "0.9", zorder=0)
for marker, (journey, mine) in zip("os^", well.groupby("journey", observed=True), strict=False):
    axes.scatter(clock(mine["begin_utc"]), mine["took_s"], s=14, marker=marker, label=f"{journey}: a step that ended well")
axes.scatter(clock(failed["intended_utc"]), [1.06 * top] * len(failed), s=18, marker="x", color="black", label="a visit that failed")
axes.set(title=f"{PORTAL}: time of each step", xlabel="clock of Viet Nam", ylabel="s", ylim=(0, 1.4 * top))
axes.legend(loc="upper right", ncols=2)
figure.savefig("one_night.png", dpi=110)
plt.close(figure)
