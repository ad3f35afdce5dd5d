(* What is a state space model, and what must be shown of one to know its outputs on every word?

   This file defines one step of a model, the run on a word, and what it means that a model computes a language; then it
   proves the principle behind every proof here: a relation between the states of a machine and of a model that holds at
   the start, is kept by every step and forces equal outputs gives equal outputs on every word, of any length.

   Arithmetic is fixed:p of the Python side: a stored number is an integer in units of 2^-p, rounded down to the unit
   after each update of a state and each mix; integers are unbounded.  A model in exact arithmetic whose weights are whole
   is the same model in fixed:0, where every rounding divides by 1 (lemma [update_whole]). *)
Require Import ZArith List Bool Lia.
Import ListNotations.
Open Scope Z_scope.

(* -- the model ------------------------------------------------------------------------------------------------------ *)

(* x -> (W x + b) / 2^exponent.  A row of W x + b is its bias and its weights that are not zero: (input, weight). *)
Record affine := Affine { exponent : Z; rows : list (Z * list (nat * Z)) }.

Inductive activation := Relu | Linear | Clip (low high : Z).     (* the bounds are over 2^exponent of the affine map *)

(* One layer: h' = gate(x) * h + increment(x), elementwise; then z = phi(h', x), each mix reading the one before it and x.
   h starts as initial / 2^initial_exponent. *)
Record layer := Layer {
  gate : affine; increment : affine; initial_exponent : Z; initial : list Z; phi : list (affine * activation) }.

(* Row a of the embedding (over 2^embedding_exponent) is what symbol a feeds to the first layer; the last row is BOS. *)
Record model := Model {
  bits : Z; embedding_exponent : Z; embedding : list (list Z); layers : list layer; readout : affine }.

(* n / 2^e as stored: in units of 2^-p, rounded down *)
Definition stored (p e n : Z) : Z := n * 2 ^ p / 2 ^ e.

Section Step.
Variable p : Z.

(* W x + b in units of 2^-(p + exponent) *)
Definition row (x : list Z) (r : Z * list (nat * Z)) : Z :=
  fold_left (fun total term => total + snd term * nth (fst term) x 0) (snd r) (fst r * 2 ^ p).
Definition raw (a : affine) (x : list Z) : list Z := map (row x) (rows a).

(* an activation of a stored number v, after the map with exponent e *)
Definition act (e : Z) (f : activation) (v : Z) : Z :=
  match f with Relu => Z.max v 0 | Linear => v | Clip low high => Z.min (Z.max v (stored p e low)) (stored p e high) end.
Definition mix (m : affine * activation) (inputs : list Z) : list Z :=
  map (fun v => act (exponent (fst m)) (snd m) (v / 2 ^ exponent (fst m))) (raw (fst m) inputs).

(* a v + b rounded down to the unit, with a over 2^(p + eg), b over 2^(p + eb) and v over 2^p *)
Definition updated (eg eb : Z) (abv : Z * Z * Z) : Z :=
  let '(a, b, v) := abv in (a * v * 2 ^ eb + b * 2 ^ (p + eg)) / 2 ^ (p + eg + eb).
Definition update (l : layer) (h x : list Z) : list Z :=
  map (updated (exponent (gate l)) (exponent (increment l))) (combine (combine (raw (gate l) x) (raw (increment l) x)) h).
Definition features (l : layer) (h x : list Z) : list Z := fold_left (fun z m => mix m (z ++ x)) (phi l) h.

(* all layers, from the first on: the new states, and the features of the last layer *)
Fixpoint through (ls : list layer) (hs : list (list Z)) (x : list Z) : list (list Z) * list Z :=
  match ls, hs with
  | l :: ls, h :: hs => let h' := update l h x in
                        let (rest, z) := through ls hs (features l h' x) in (h' :: rest, z)
  | _, _ => ([], x)
  end.
End Step.

(* what a symbol feeds to the first layer *)
Definition embedded (m : model) (a : nat) : list Z := map (stored (bits m) (embedding_exponent m)) (nth a (embedding m) []).
(* the state after one symbol, and which outputs are given: those whose number is positive *)
Definition step (m : model) (hs : list (list Z)) (a : nat) : list (list Z) * list bool :=
  let (hs', z) := through (bits m) (layers m) hs (embedded m a) in
  (hs', map (Z.ltb 0) (raw (bits m) (readout m) z)).

Definition bos (m : model) : nat := pred (length (embedding m)).
Definition start (m : model) : list (list Z) := map (fun l => map (stored (bits m) (initial_exponent l)) (initial l)) (layers m).
(* the state and the outputs after BOS, and after BOS and a word *)
Definition begin (m : model) : list (list Z) * list bool := step m (start m) (bos m).
Definition run (m : model) (w : list nat) : list (list Z) * list bool := fold_left (fun s a => step m (fst s) a) w (begin m).

(* -- the language --------------------------------------------------------------------------------------------------- *)

(* A deterministic machine, finite or not.  [next] is None where nothing is asked of a model any more: a symbol after
   which no word of the language is possible (prediction), or no symbol of the alphabet. *)
Record machine := Machine { state : Type; first : state; next : state -> nat -> option state; answer : state -> list bool }.
Arguments first {_}. Arguments next {_}. Arguments answer {_}.

(* the machine's state after a word, if it goes on that far *)
Definition reaches (M : machine) (w : list nat) : option (state M) :=
  fold_left (fun q a => match q with Some q => next q a | None => None end) w (Some first).

(* The claim: after every word over the symbols 0 .. n - 1 on which the machine goes on, the model gives the machine's answer. *)
Definition computes (m : model) (M : machine) (n : nat) : Prop :=
  forall w q, Forall (fun a => (a < n)%nat) w -> reaches M w = Some q -> snd (run m w) = answer q.

(* -- the principle -------------------------------------------------------------------------------------------------- *)

Theorem relation_computes : forall (m : model) (M : machine) (n : nat) (R : state M -> list (list Z) -> Prop),
  R first (fst (begin m)) ->
  snd (begin m) = answer (m := M) first ->
  (forall q s a q', R q s -> (a < n)%nat -> next q a = Some q' -> R q' (fst (step m s a)) /\ snd (step m s a) = answer q') ->
  computes m M n.
Proof.
  intros m M n R holds_first equal_first kept.
  assert (all : forall w q, Forall (fun a => (a < n)%nat) w -> reaches M w = Some q ->
                            R q (fst (run m w)) /\ snd (run m w) = answer q).
  { intro w; induction w as [|a w IH] using rev_ind; intros q A H; unfold reaches, run in *.
    - injection H as <-; auto.
    - rewrite fold_left_app in *; simpl in *.
      apply Forall_app in A as [A1 A2]; inversion A2; subst.
      destruct (fold_left _ w (Some first)) as [q0|] eqn:E; [|discriminate].
      destruct (IH q0 A1 eq_refl) as [HR _]. apply (kept q0 _ a q HR); assumption. }
  intros w q A H; apply all; assumption.
Qed.

(* -- whole numbers: nothing is rounded ------------------------------------------------------------------------------ *)

Lemma stored_whole n : stored 0 0 n = n.
Proof. unfold stored. rewrite Z.pow_0_r, Z.mul_1_r, Z.div_1_r. reflexivity. Qed.
Lemma map_stored_whole l : map (stored 0 0) l = l.
Proof. induction l; simpl; [|rewrite stored_whole, IHl]; reflexivity. Qed.
Lemma updated_whole a b v : updated 0 0 0 (a, b, v) = a * v + b.
Proof. cbn [updated]. rewrite !Z.add_0_r, !Z.pow_0_r, !Z.mul_1_r, Z.div_1_r. reflexivity. Qed.
Lemma update_whole l h x : exponent (gate l) = 0 -> exponent (increment l) = 0 ->
  update 0 l h x = map (fun abv => let '(a, b, v) := abv in a * v + b) (combine (combine (raw 0 (gate l) x) (raw 0 (increment l) x)) h).
Proof. intros G I. unfold update. rewrite G, I. apply map_ext. intros [[a b] v]. apply updated_whole. Qed.
Lemma mix_whole m x : exponent (fst m) = 0 -> mix 0 m x = map (act 0 0 (snd m)) (raw 0 (fst m) x).
Proof. intro E. unfold mix. rewrite E, Z.pow_0_r. apply map_ext. intro v. rewrite Z.div_1_r. reflexivity. Qed.

Print Assumptions relation_computes.
