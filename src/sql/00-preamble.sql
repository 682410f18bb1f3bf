\echo Use "CREATE EXTENSION clientele" to load this file. \quit

GRANT USAGE ON SCHEMA clientele TO PUBLIC;
