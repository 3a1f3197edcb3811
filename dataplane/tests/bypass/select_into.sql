-- trick: SELECT INTO
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select pan into temp taken from cards

select pan from taken
