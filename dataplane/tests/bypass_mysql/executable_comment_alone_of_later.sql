-- trick: a comment that no server of this version runs
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- direct: fails

/*!99999 select pan from cards */
