-- Reading all profiles.
SELECT count(clientele.orders(profile)) FROM shop.profiles;
