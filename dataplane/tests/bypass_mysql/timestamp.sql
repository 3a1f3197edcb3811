-- trick: a moment
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select timestampadd(microsecond, pan_number, '1970-01-01 00:00:00') from cards
