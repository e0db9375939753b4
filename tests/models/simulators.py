"""Each model's world once more, one truth at a time and apart from its graph: a check on what the package states.

Nothing of a model's own formulas is used but its constants and the plain law of the growth engine, so that a mistake in
them cannot hide. `truth(d, rng)` draws from the prior, `speak(p, d)` tells by block what figures speak of and their
noise.
"""

import numpy as np
from scipy.stats import lognorm

from telemed_forecast.models import adoption, channel_share, internet_hospitals, licensing_policy, market_size
from telemed_forecast.models.growth import CEILING_SOFTNESS, expected_growth, shock_scale
from telemed_forecast.models.priors import growth_prior, surge_prior


def log_share(logit):
    return -np.log1p(np.exp(-logit))


def between(path, at):
    """A path at positions between grid points."""
    return np.interp(at, np.arange(len(path)), path)


def parameters(prior, rng):
    """One draw of the parameters of a growth process."""
    return {
        "rate": rng.lognormal(*prior.log_rate),
        "theta": rng.beta(*prior.theta),
        "innovation": rng.lognormal(*prior.log_innovation),
        "sigma": rng.lognormal(*prior.log_sigma),
        "rho": rng.beta(*prior.rho),
    }


def growth_path(known, *, start, log_ceiling, step, prior, rng, added=0.0):
    """Log levels and deviations without any wall at the ceiling; `added` is dated growth a year."""
    law = {name: known[name] for name in ("rate", "theta", "innovation")}
    level, deviation = [start], []
    decay = known["rho"] ** step
    dated = np.broadcast_to(added, (len(log_ceiling) - 1,))
    for k in range(len(log_ceiling) - 1):
        expected = expected_growth(np.exp(max(level[-1] - log_ceiling[k], -50.0)), **law)
        shock = shock_scale(expected, sigma=known["sigma"], prior=prior, step=step) * rng.standard_t(prior.nu) / step
        # The first deviation has the stationary scale.
        deviation.append(decay * deviation[-1] + shock if deviation else shock / np.sqrt(1.0 - decay**2))
        level.append(level[-1] + step * (expected + dated[k] + deviation[-1]))
        if level[-1] > log_ceiling[k + 1] + 1.0:
            break  # far through the wall: it will be refused, and the law would overflow
    return np.array(level), np.array(deviation)


def process(name, *, start, log_ceiling, step, prior, rng, added=0.0):
    """Parameters, log level and deviation of one process; None where the wall at the ceiling refuses the path."""
    known = parameters(prior, rng)
    path = {"log_ceiling": log_ceiling, "step": step, "prior": prior, "rng": rng, "added": added}
    level, deviation = growth_path(known, start=rng.normal(start, prior.start_sd), **path)
    if len(level) < len(log_ceiling):
        return None
    passing = -np.logaddexp(0.0, (level - log_ceiling) / CEILING_SOFTNESS).sum()
    drawn = {**known, "log_level": level, "deviation": deviation}
    return {f"{name}_{key}": value for key, value in drawn.items()} if np.log(rng.uniform()) < passing else None


class Users:
    @staticmethod
    def truth(d, rng):
        surge, offset, found = surge_prior(), np.array(list(adoption.OFFSETS.values())), {}
        ceilings = {
            "internet": (adoption.CEILING_INTERNET, d["log_population"]),
            "usage": (adoption.CEILING_USAGE, np.zeros(adoption.GRID)),
        }
        for name, (bounds, top) in ceilings.items():
            path = None
            while path is None:
                logit = rng.normal(*bounds)
                path = process(
                    name, start=d[f"{name}_guess"][0], log_ceiling=top + log_share(logit), step=adoption.STEP,
                    prior=growth_prior(adoption.CLASS[name]), rng=rng,
                )  # fmt: skip
            found |= path | {f"{name}_logit_ceiling": logit}
        found |= {
            "surge_logit_kept": rng.normal(*surge.logit_kept),
            "surge_half_life": rng.lognormal(*surge.log_half_life),
            "surge_gained": rng.beta(*surge.gained, len(adoption.WAVES)),
            "definition_offset": offset[:, 0] + offset[:, 1] * rng.standard_normal(len(offset)),
            "survey_noise": rng.lognormal(*adoption.SURVEY_NOISE),
            "regional_spread": rng.lognormal(*adoption.REGIONAL_SPREAD),
        }
        return found | {"log_users": found["internet_log_level"] + np.log(Users.usage(found, d))}

    @staticmethod
    def usage(p, d):
        """Each wave wins a share of those missing below the ceiling, and loses some again."""
        ceiling, kept = (np.exp(log_share(p[name])) for name in ("usage_logit_ceiling", "surge_logit_kept"))
        missing = ceiling - np.exp(p["usage_log_level"])
        for share, start in zip(p["surge_gained"], d["wave"], strict=True):
            since = d["grid"] - start
            left = kept + (1.0 - kept) * 0.5 ** (np.maximum(since, 0.0) / p["surge_half_life"])
            missing = missing * np.where(since >= 0, 1.0 - share * left, 1.0)
        return ceiling - missing

    @staticmethod
    def speak(p, d):
        rate = Users.usage(p, d)
        users = between(p["internet_log_level"] + np.log(rate), d["users_at"])
        gap, gap_sd = adoption.AWARENESS_GAP
        said = {
            "internet": (between(p["internet_log_level"], d["internet_at"]), 0.0),
            "users": (users + d["users_definition"] @ p["definition_offset"], p["survey_noise"]),
            "survey": (between(np.log(rate / (1.0 - rate)), d["survey_at"]), p["regional_spread"]),
            "aware": (np.full(len(d["aware_low"]), p["usage_logit_ceiling"] + gap), gap_sd),
        }
        return {block: (mu, np.hypot(d[f"{block}_scale"], noise)) for block, (mu, noise) in said.items()}


class Hospitals:
    @staticmethod
    def truth(d, rng):
        model, policy, found = internet_hospitals, licensing_policy, None
        while found is None:
            # Policy acts on both sponsors: when a wall refuses one path, everything is drawn anew.
            size, fade = np.abs(rng.normal(0.0, policy.SIZE, policy.EVENTS)), rng.lognormal(*policy.FADE)
            # What of an effect has arrived by each point of the grid; the growth of a step is what arrives in it.
            added = (size * d["event_direction"]) @ np.diff(1.0 - np.exp(-d["event_since"] / fade), axis=1) / model.STEP
            share, ratio = rng.normal(*model.CEILING_SHARE), rng.normal(*model.FIRM_CEILING)
            own, firms = (
                process(
                    name, start=d[f"{name}_guess"][0], log_ceiling=d["log_pool"] + reach, step=model.STEP,
                    prior=growth_prior(model.CLASS), rng=rng, added=added,
                )
                for name, reach in (("hospital", log_share(share)), ("firm", ratio))
            )  # fmt: skip
            found = own | firms if own and firms else None
        spread = rng.lognormal(*model.ORIGIN_SPREAD)
        return found | {
            "event_size": size,
            "event_effect": size * d["event_direction"],
            "policy_fade": fade,
            "hospital_logit_ceiling": share,
            "firm_log_ceiling": ratio,
            "origin_spread": spread,
            "origin_offset": spread * rng.standard_normal(model.ORIGINS),
            "reporting_noise": rng.lognormal(*model.REPORTING_NOISE),
            "share_noise": rng.lognormal(*model.SHARE_NOISE),
        }

    @staticmethod
    def speak(p, d):
        offsets = np.append(0.0, p["origin_offset"])
        own, firms = (between(p[f"{name}_log_level"], d["count_at"]) for name in ("hospital", "firm"))
        counted = np.where(d["count_part"] == 1, own, np.log(np.exp(own) + np.exp(firms)))
        odds = between(p["hospital_log_level"] - p["firm_log_level"], d["share_at"])
        return {
            "count": (counted + offsets[d["count_origin"]], np.hypot(d["count_scale"], p["reporting_noise"])),
            "share": (odds, np.hypot(d["share_scale"], p["share_noise"])),
        }


class Channels:
    @staticmethod
    def truth(d, rng):
        measures = len(channel_share.MEASURES) - 1
        scale, walk = rng.lognormal(*channel_share.WALK), np.zeros((measures, channel_share.GRID))
        for year in range(1, channel_share.GRID):
            walk[:, year] = walk[:, year - 1] + rng.normal(0.0, scale, size=measures)
        return {
            "factor": rng.multivariate_normal(d["factor_mean"], d["factor_root"] @ d["factor_root"].T),
            "measure_offset": rng.normal(0.0, channel_share.OFFSET, size=measures),
            "new_offset": rng.normal(*channel_share.NEW_OFFSET),
            "walk_scale": scale,
            "walk": walk,
            "share_noise": rng.lognormal(*channel_share.NOISE),
        }

    @staticmethod
    def speak(p, d):
        new = len(channel_share.MEASURES)
        mu = [
            p["factor"][year] + (p["new_offset"] if m == new else p["measure_offset"][m - 1] + p["walk"][m - 1, year])
            for year, m in zip(d["share_year"], d["share_measure"], strict=True)
        ]
        return {"share": (np.array(mu), np.hypot(d["share_scale"], p["share_noise"]))}

    @staticmethod
    def rich(factor):
        """A layout with evidence on every measure in many years: enough to show what a wrong likelihood does."""
        model, years = channel_share, np.arange(channel_share.GRID)
        bounded = [model.MEASURES.index(name) for name in ("encounters", "revenue")]
        new = len(model.MEASURES)
        layout = [(y, m) for m in range(1, new) for y in years] + [(y, new) for y in years[::2]]
        at, measure = np.array(layout).T
        low = np.linspace(-0.02, 0.02, len(at))
        return {
            "years": 2016.0 + years,
            "factor_mean": factor[0],
            "factor_root": np.linalg.cholesky(factor[1]),
            "share_low": low,
            "share_high": low + np.where(np.isin(measure, bounded), 0.8, 0.1),
            "share_year": at,
            "share_measure": measure,
            "share_scale": np.where(np.isin(measure, bounded), model.BOUND_SCALE, 0.05),
        }


class Market:
    @staticmethod
    def truth(d, rng):
        model, prior = market_size, growth_prior("any")
        far = lognorm(s=prior.log_distance[1], scale=np.exp(prior.log_distance[0]))
        top = far.pdf(np.exp(prior.log_distance[0] - prior.log_distance[1] ** 2))

        def below(name, wall):
            start = d[f"{name}_guess"][0]
            return process(name, start=start, log_ceiling=wall, step=model.STEP, prior=prior, rng=rng)

        while True:
            # A ceiling from far below the start to far above; its distance from the end decides whether it is kept.
            wall = d["consultation_guess"][0] + rng.uniform(-4.0, 16.0)
            consultation = below("consultation", np.full(model.GRID, wall))
            if not consultation:
                continue
            distance = wall - consultation["consultation_log_level"][-1]
            if rng.uniform() > far.pdf(distance) / top:
                continue
            reach = rng.normal(*model.MEDICINE_CEILING)
            pharmacy = below("pharmacy", d["log_medicine"] + log_share(reach))
            if not pharmacy:
                continue
            found = consultation | pharmacy | Market.from_below(d, rng)
            c, p = found["consultation_log_level"], found["pharmacy_log_level"]
            gaps = c - found["bottom_up"], p - found["pharmacy_bottom_up"]
            # Kept with the probability that the two coherence gaps have, each in the mean of the years told of.
            told = gaps[0] @ d["coherence_weight"], gaps[1] @ d["pharmacy_coherence_weight"]
            if np.log(rng.uniform()) < sum(-0.5 * (gap / model.COHERENCE) ** 2 for gap in told):
                break
        other, spread, volatility = (
            rng.normal(*model.OTHER_SERVICES),
            rng.lognormal(*model.BIAS_SPREAD),
            rng.lognormal(*model.SELLER_VOLATILITY),
        )
        services = np.log(np.exp(c) * (1.0 + np.exp(other)))
        part = [rng.normal(*model.SELLER_SHARE)]
        for _ in range(model.GRID - 1):
            part.insert(0, part[0] - volatility * rng.standard_normal())
        return found | {
            "consultation_distance": distance,
            "pharmacy_logit_ceiling": reach,
            "other_services": other,
            "bias_spread": spread,
            "origin_bias": spread * rng.standard_normal(model.ORIGINS),
            "common_bias": rng.normal(*model.COMMON_BIAS),
            "estimate_noise": rng.lognormal(*model.ESTIMATE_NOISE),
            "log_size": np.stack([c, services, np.log(np.exp(services) + np.exp(p)), p], axis=1),
            "coherence_gap": gaps[0],
            "pharmacy_coherence_gap": gaps[1],
            "seller_volatility": volatility,
            "seller_share": np.array(part),
            "second_seller": rng.normal(*model.SECOND_SELLER),
        }

    @staticmethod
    def from_below(d, rng):
        model, age = market_size, d["age"]
        names = ("encounters", "encounters_trend", "price", "price_trend", "online_share", "online_share_trend")
        drawn = {name: rng.normal(*getattr(model, name.upper())) for name in names}
        users = rng.standard_normal() * d["users_sd"] + d["users_mean"]
        volume = users + drawn["encounters"] + drawn["encounters_trend"] * age
        online = drawn["online_share"] + drawn["online_share_trend"] * age
        return drawn | {
            "bottom_up": volume + drawn["price"] + drawn["price_trend"] * age - np.log(1e6),
            "pharmacy_bottom_up": d["log_medicine"] + log_share(online),
        }

    @staticmethod
    def speak(p, d):
        sales = p["pharmacy_log_level"] + log_share(p["seller_share"])
        volume = p["bottom_up"] - p["price"] - p["price_trend"] * d["age"] + np.log(1e6)
        online = p["online_share"] + p["online_share_trend"] * d["age"]
        sizes = p["log_size"][d["size_year"], d["size_definition"]]
        said = {
            "size": (sizes + p["common_bias"] + p["origin_bias"][d["size_origin"]], p["estimate_noise"]),
            "volume": (volume[d["volume_year"]], 0.0),
            "online": (online[d["online_year"]], 0.0),
            "seller": (between(sales, d["seller_at"]) + p["second_seller"] * d["seller_second"], 0.0),
        }
        return {block: (mu, np.hypot(d[f"{block}_scale"], noise)) for block, (mu, noise) in said.items()}


WORLDS = {"user_adoption": Users, "internet_hospitals": Hospitals, "channel_share": Channels, "market_size": Market}
