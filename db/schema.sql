\restrict dbmate

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: currency; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.currency AS ENUM (
    'EUR',
    'USD',
    'GBP',
    'CHF'
);


--
-- Name: TYPE currency; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TYPE public.currency IS 'ISO 4217 code of a price.';


--
-- Name: store; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.store AS ENUM (
    'amazon',
    'ebay',
    'etsy',
    'ikea',
    'other'
);


--
-- Name: TYPE store; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TYPE public.store IS 'Shop that sells an item; other means the shop is not known yet.';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: app_users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.app_users (
    id bigint NOT NULL,
    email text NOT NULL,
    display_name text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT app_users_email_check CHECK ((email ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text))
);


--
-- Name: TABLE app_users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.app_users IS 'Accounts; each one keeps a wish list.';


--
-- Name: COLUMN app_users.id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.app_users.id IS 'Identifier, never reused.';


--
-- Name: COLUMN app_users.email; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.app_users.email IS 'Sign-in address, stored in lower case by the application.';


--
-- Name: COLUMN app_users.display_name; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.app_users.display_name IS 'Name shown to others; NULL until the user chooses one.';


--
-- Name: COLUMN app_users.created_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.app_users.created_at IS 'Time of registration.';


--
-- Name: CONSTRAINT app_users_email_check ON app_users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT app_users_email_check ON public.app_users IS 'An address has text on both sides of the at sign.';


--
-- Name: app_users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.app_users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.app_users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);


--
-- Name: wishlist_items; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.wishlist_items (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    title text NOT NULL,
    url text,
    store public.store DEFAULT 'other'::public.store NOT NULL,
    price numeric(12,2),
    currency public.currency,
    priority smallint DEFAULT 3 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    purchased_at timestamp with time zone,
    CONSTRAINT wishlist_items_price_check CHECK (((price >= (0)::numeric) AND (price <= (100000)::numeric))),
    CONSTRAINT wishlist_items_price_currency_check CHECK (((price IS NULL) = (currency IS NULL))),
    CONSTRAINT wishlist_items_priority_check CHECK (((priority >= 1) AND (priority <= 5))),
    CONSTRAINT wishlist_items_purchased_check CHECK ((purchased_at >= created_at)),
    CONSTRAINT wishlist_items_title_check CHECK (((length(title) >= 1) AND (length(title) <= 200))),
    CONSTRAINT wishlist_items_url_check CHECK (((url ~ '^https?://[^[:space:]]+$'::text) AND (octet_length(url) <= 2000)))
);


--
-- Name: TABLE wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.wishlist_items IS 'Wishes: one row per thing that a user would like to have.';


--
-- Name: COLUMN wishlist_items.id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.id IS 'Identifier, never reused.';


--
-- Name: COLUMN wishlist_items.user_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.user_id IS 'Account that made the wish.';


--
-- Name: COLUMN wishlist_items.title; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.title IS 'What is wished for, in the user''s words.';


--
-- Name: COLUMN wishlist_items.url; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.url IS 'Page of the item in a shop; NULL when the wish is only a thought.';


--
-- Name: COLUMN wishlist_items.store; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.store IS 'Shop of the item; other until the nightly job has found it.';


--
-- Name: COLUMN wishlist_items.price; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.price IS 'Price when the wish was made; NULL when not known.';


--
-- Name: COLUMN wishlist_items.currency; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.currency IS 'Currency of price; NULL exactly when price is.';


--
-- Name: COLUMN wishlist_items.priority; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.priority IS '1 (must have) to 5 (nice to have).';


--
-- Name: COLUMN wishlist_items.created_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.created_at IS 'Time when the wish was made.';


--
-- Name: COLUMN wishlist_items.purchased_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.wishlist_items.purchased_at IS 'Time of purchase; NULL while the wish is open.';


--
-- Name: CONSTRAINT wishlist_items_price_check ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_price_check ON public.wishlist_items IS 'Catches a slipped decimal point: a price is 0 to 100000.';


--
-- Name: CONSTRAINT wishlist_items_price_currency_check ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_price_currency_check ON public.wishlist_items IS 'An amount without its currency means nothing: both are known or neither is.';


--
-- Name: CONSTRAINT wishlist_items_priority_check ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_priority_check ON public.wishlist_items IS 'The list offers five steps: 1 (must have) to 5 (nice to have).';


--
-- Name: CONSTRAINT wishlist_items_purchased_check ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_purchased_check ON public.wishlist_items IS 'Nobody buys a wish before it was made.';


--
-- Name: CONSTRAINT wishlist_items_title_check ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_title_check ON public.wishlist_items IS 'A wish has a readable title that fits one line of the list: 1 to 200 characters.';


--
-- Name: CONSTRAINT wishlist_items_url_check ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_url_check ON public.wishlist_items IS 'Links are opened by browsers: http or https, no spaces, at most 2000 bytes.';


--
-- Name: wishlist_items_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.wishlist_items ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.wishlist_items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: app_users app_users_email_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.app_users
    ADD CONSTRAINT app_users_email_key UNIQUE (email);


--
-- Name: CONSTRAINT app_users_email_key ON app_users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT app_users_email_key ON public.app_users IS 'One account per address; sign-in looks the account up by email.';


--
-- Name: app_users app_users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.app_users
    ADD CONSTRAINT app_users_pkey PRIMARY KEY (id);


--
-- Name: CONSTRAINT app_users_pkey ON app_users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT app_users_pkey ON public.app_users IS 'Target of wishlist_items.user_id.';


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: wishlist_items wishlist_items_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.wishlist_items
    ADD CONSTRAINT wishlist_items_pkey PRIMARY KEY (id);


--
-- Name: CONSTRAINT wishlist_items_pkey ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_pkey ON public.wishlist_items IS 'Opens, changes and deletes one wish by its identifier.';


--
-- Name: wishlist_items wishlist_items_url_user_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.wishlist_items
    ADD CONSTRAINT wishlist_items_url_user_key UNIQUE (url, user_id);


--
-- Name: CONSTRAINT wishlist_items_url_user_key ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_url_user_key ON public.wishlist_items IS 'A user wishes for a link once (no link: any number); also finds all who wish for it.';


--
-- Name: wishlist_items_unmatched_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX wishlist_items_unmatched_idx ON public.wishlist_items USING btree (created_at) WHERE (store = 'other'::public.store);


--
-- Name: INDEX wishlist_items_unmatched_idx; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.wishlist_items_unmatched_idx IS 'The nightly job takes wishes of unknown shops, oldest first, and looks for their store.';


--
-- Name: wishlist_items_user_created_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX wishlist_items_user_created_idx ON public.wishlist_items USING btree (user_id, created_at DESC);


--
-- Name: INDEX wishlist_items_user_created_idx; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.wishlist_items_user_created_idx IS 'A user''s list, newest wish first; also finds the wishes of an account that is deleted.';


--
-- Name: wishlist_items wishlist_items_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.wishlist_items
    ADD CONSTRAINT wishlist_items_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_users(id) ON DELETE CASCADE;


--
-- Name: CONSTRAINT wishlist_items_user_id_fkey ON wishlist_items; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT wishlist_items_user_id_fkey ON public.wishlist_items IS 'A wish belongs to an account and goes when the account goes.';


--
-- PostgreSQL database dump complete
--

\unrestrict dbmate


--
-- Dbmate schema migrations
--

INSERT INTO public.schema_migrations (version) VALUES
    ('20260105090000'),
    ('20260105091000'),
    ('20260105092000'),
    ('20260119080000'),
    ('20260119081000'),
    ('20260119082000'),
    ('20260202080000'),
    ('20260202081000'),
    ('20260309090000'),
    ('20260309091000'),
    ('20260316090000');
