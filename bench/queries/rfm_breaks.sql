-- What a refresh adds for the scores: the quintiles of recency, orders and money.
SELECT clientele._score_summary(profile, now()) FROM shop.profiles;
