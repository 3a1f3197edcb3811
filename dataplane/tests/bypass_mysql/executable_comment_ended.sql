-- trick: a text that seems to be one executable comment, and ends before
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

/*!99999 select '*/ select pan from cards -- ' */
