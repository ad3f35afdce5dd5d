(* Which sets of model states can a relation name, and when does a step lead into one?

   A template is a state written in forms, and the box of its parameters: "both counters, each at least 0, then a 1".  It
   stands for the states that it becomes for some values in the box. *)
From Verify Require Import SSM FiniteRelation Forms.
Require Import ZArith List Bool Lia.
Import ListNotations.
Open Scope Z_scope.

(* [sources] says where in a state the last parameters can be read: (layer, coordinate).  The ones before them are given from
   outside; they are the counters of the machine. *)
Record template := Template { ranges : box; forms : list (list form); sources : list (nat * nat) }.

(* the states that it stands for, for these parameters *)
Definition instance (t : template) (v : list Z) : list (list Z) := map (map (value v)) (forms t).

(* f with the forms w in place of its parameters *)
Fixpoint substituted (cs : list Z) (w : list form) : form :=
  match cs, w with c :: cs, f :: w => if c =? 0 then substituted cs w else plus (times c f) (substituted cs w) | _, _ => constant 0 end.
Definition substitute (w : list form) (f : form) : form := plus (constant (fst f)) (substituted (snd f) w).
Lemma substitute_right v w f : value v (substitute w f) = value (map (value v) w) f.
Proof.
  unfold substitute. rewrite value_plus, value_constant. unfold value at 2. f_equal.
  revert w; induction (snd f) as [|c cs IH]; intros [|g w]; cbn [substituted map dot]; try apply value_constant.
  destruct (c =? 0) eqn:Z; [apply Z.eqb_eq in Z; rewrite IH, Z; reflexivity|]. rewrite value_plus, value_times, IH. reflexivity.
Qed.

Definition form_within (b : box) (f : form) (range : option Z * option Z) : bool :=
  match fst range with Some l => match lower f b with Some x => l <=? x | None => false end | None => true end
  && match snd range with Some h => match upper f b with Some x => x <=? h | None => false end | None => true end.
Lemma form_within_right b f range v : inside v b -> form_within b f range = true -> within (value v f) range.
Proof.
  intros I H. assert (L := lower_right f b v I). assert (U := upper_right f b v I). unfold form_within in H. apply andb_prop in H as [H1 H2].
  destruct range as [l h]; split; cbn [fst snd] in *.
  - destruct l as [l|]; [|exact Logic.I]. destruct (lower f b); [|discriminate]. apply Z.leb_le in H1. cbn [at_least] in *. lia.
  - destruct h as [h|]; [|exact Logic.I]. destruct (upper f b); [|discriminate]. apply Z.leb_le in H2. cbn [at_most] in *. lia.
Qed.

Section All.
Context {A B : Type} (test : A -> B -> bool).
Fixpoint all_pairs (xs : list A) (ys : list B) : bool :=
  match xs, ys with [], [] => true | x :: xs, y :: ys => test x y && all_pairs xs ys | _, _ => false end.
Lemma all_pairs_right xs : forall ys, all_pairs xs ys = true -> Forall2 (fun x y => test x y = true) xs ys.
Proof.
  induction xs as [|x xs IH]; intros [|y ys] H; cbn [all_pairs] in H; try discriminate; constructor;
    apply andb_prop in H as [H1 H2]; auto.
Qed.
End All.

(* Whether a state of forms over a box, with these forms as first parameters, is an instance for every point of the box. *)
Definition arguments (t : template) (given : list form) (state : list (list form)) : list form :=
  given ++ map (fun place => nth (snd place) (nth (fst place) state []) (constant 0)) (sources t).
Definition fits (b : box) (given : list form) (state : list (list form)) (t : template) : bool :=
  let w := arguments t given state in
  all_pairs (form_within b) w (ranges t)
  && all_pairs (all_pairs (fun f g => equal_forms g (substitute w f) b)) (forms t) state.

Lemma fits_right b given state t v : inside v b -> fits b given state t = true ->
  inside (map (value v) (arguments t given state)) (ranges t)
  /\ map (map (value v)) state = instance t (map (value v) (arguments t given state)).
Proof.
  intros I H. unfold fits in H. cbv zeta in H. apply andb_prop in H as [H1 H2]. apply all_pairs_right in H1, H2. split.
  - clear H2. revert H1. unfold inside. generalize (arguments t given state) as w. intros w H1.
    induction H1 as [|f r w rs F _ IH]; cbn [map]; constructor; [apply (form_within_right b); [exact I|exact F]|exact IH].
  - clear H1. unfold instance. revert H2. generalize (arguments t given state) as w. intros w H2.
    induction H2 as [|fs gs layers state E _ IH]; [reflexivity|]. cbn [map]. rewrite IH. f_equal.
    apply all_pairs_right in E. induction E as [|f g fs gs E _ IHE]; [reflexivity|]. cbn [map]. rewrite IHE. f_equal.
    rewrite (equal_forms_right _ _ _ v I E). apply substitute_right.
Qed.
(* of numbers instead of forms *)
Definition numbers_fit (given : list Z) (state : list (list Z)) (t : template) : bool :=
  fits [] (map constant given) (map (map constant) state) t.
Lemma values_of_constants v l : map (value v) (map constant l) = l.
Proof. induction l as [|x l IH]; [reflexivity|]. cbn [map]. rewrite value_constant, IH. reflexivity. Qed.
Lemma numbers_fit_right given state t : numbers_fit given state t = true ->
  exists w, inside w (ranges t) /\ state = instance t w /\ firstn (length given) w = given.
Proof.
  intro H. exists (map (value []) (arguments t (map constant given) (map (map constant) state))).
  destruct (fits_right [] _ _ t [] (Forall2_nil _) H) as [H1 H2]. split; [exact H1|]. split.
  - rewrite <- H2. rewrite map_map. symmetry. rewrite <- (map_id state) at 2. apply map_ext. intro l. apply values_of_constants.
  - unfold arguments. rewrite map_app, values_of_constants. rewrite firstn_app, Nat.sub_diag, firstn_all, firstn_O. apply app_nil_r.
Qed.
